package portmap

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Client keeps a port mapped as long as Run runs. Safe for concurrent use.
type Client struct {
	opts  Options
	renew chan struct{}

	mu       sync.Mutex
	mappings []Mapping // replaced, never changed
	report   Report    // Protocols is replaced, never changed
}

// New makes a Client. It sends nothing before Run.
func New(opts Options) (*Client, error) {
	if opts.Port == 0 {
		return nil, errors.New("port mapping: no port was given")
	}
	return &Client{opts: opts, renew: make(chan struct{}, 1)}, nil
}

// Run maps the port and keeps it mapped until ctx ends, then takes the mapping
// back, which takes at most two seconds, and returns nil.
func (c *Client) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Renew says that the network may have changed: the router is asked at once.
func (c *Client) Renew() {
	select {
	case c.renew <- struct{}{}:
	default: // it is about to be asked
	}
}

// Mappings returns what is mapped now: at most one Mapping for each transport,
// UDP first.
func (c *Client) Mappings() []Mapping {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.mappings)
}

// Report returns what became of each protocol.
func (c *Client) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.report
	r.Protocols = slices.Clone(r.Protocols)
	return r
}

// Probe asks by every protocol in turn for a mapping of opts.Port and takes it
// back at once: what a router speaks, for people to read. It takes up to ten
// seconds.
func Probe(ctx context.Context, opts Options) Report {
	return Report{}
}
