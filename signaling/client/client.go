package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

var (
	// ErrUnreachable is returned by Send when the server says that the receiver
	// is not there: unknown or offline, which look the same.
	ErrUnreachable = errors.New("peer is not reachable")
	// ErrNotSent is wrapped by Send when the message may not have gone out: ctx
	// ended first, the client stopped, or the server refused it.
	ErrNotSent = errors.New("message was not sent")
	// ErrNoRelay is wrapped by Relay when the server has no relay, or none for
	// this peer.
	ErrNoRelay = errors.New("no relay from the signaling server")
)

// settled is how long a connection must last for the next attempt after it to
// begin with the shortest pause again.
const settled = 5 * time.Second

// Client is a registered peer. Make it with New, start it with Run. All methods
// are safe for concurrent use.
type Client struct {
	// constant after construction
	opts    Options
	log     *slog.Logger
	target  target
	dialer  *http.Client // copied for every attempt
	backlog *backlog
	inbox   chan signaling.Delivery
	probe   chan struct{} // capacity 1: make sure that the connection works
	started atomic.Bool

	refusedURL atomic.Bool // one was, and logged

	dropped  atomic.Uint64
	dropNote *rate.Limiter // how often drops are logged

	resume signaling.Token // owned by Run's goroutine

	mu sync.Mutex
	// guarded by mu
	state   State
	service Service
}

// New checks the options. It does no I/O.
func New(o Options) (*Client, error) {
	if o.Identity == nil {
		return nil, errors.New("signaling client: no identity given")
	}
	t, err := parseTarget(o.URL, o.AllowPlaintext)
	if err != nil {
		return nil, err
	}
	o.setDefaults()
	dialer := o.HTTPClient
	if dialer == nil {
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
		dialer = &http.Client{Transport: transport}
	}
	return &Client{
		opts:     o,
		log:      o.Logger,
		target:   t,
		dialer:   dialer,
		backlog:  newBacklog(o.OutQueue),
		inbox:    make(chan signaling.Delivery, o.InQueue),
		probe:    make(chan struct{}, 1),
		dropNote: rate.NewLimiter(rate.Every(10*time.Second), 1),
	}, nil
}

// Run registers and, whenever the connection is lost, registers again, for
// ever, with jittered back-off. It returns only when ctx ends, with its cause,
// when its goroutines have ended and OnMessage has returned. Every Send that
// still waits then fails. Call it once; a second call is an error.
func (c *Client) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return errors.New("signaling client: Run was called before")
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.dispatch(ctx) })
	defer func() {
		c.backlog.stop(fmt.Errorf("%w: the signaling client has stopped", ErrNotSent))
		wg.Wait()
		c.setState(StateOffline, context.Cause(ctx))
	}()
	pause := c.opts.MinBackoff
	for {
		c.setState(StateConnecting, nil)
		online, err := c.connect(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if online > settled {
			pause = c.opts.MinBackoff
		}
		wait := jitter(pause)
		pause = min(2*pause, c.opts.MaxBackoff)
		state := StateWaiting
		if isDisplaced(err) {
			state, wait = StateDisplaced, jitter(c.opts.DisplacedBackoff)
			err = fmt.Errorf("%w: another process uses the same identity key; stop one of the two", err)
		}
		c.log.Warn("signaling is down, retrying", "server", c.target.host, "err", err, "in", wait.Round(time.Millisecond))
		c.setState(state, err)
		if !sleep(ctx, wait) {
			return context.Cause(ctx)
		}
	}
}

// Lookup returns the key statement of a peer as the server has it, for
// identity.OpenKeyStatement. It waits as Send does; while the client connects it
// goes out together with the registration. Errors as Send's.
func (c *Client) Lookup(ctx context.Context, to identity.PeerID) (string, error) {
	keys, err := c.backlog.lookup(ctx, to)
	if err != nil {
		return "", fmt.Errorf("look %s up: %w", to.Short(), err)
	}
	return keys, nil
}

// Send hands payload, a sealed message, to the peer to, and returns nil when the
// server has taken it: passed on, or held for a receiver that lost its
// connection a moment ago. It waits for that, and for being connected, until ctx
// ends; over a new connection it sends again what the old one may have lost.
// Errors: ErrUnreachable, or wrapping ErrNotSent, or signaling.ErrMessage for
// what breaks a limit.
func (c *Client) Send(ctx context.Context, to identity.PeerID, payload string) error {
	if err := c.backlog.send(ctx, to, payload); err != nil {
		return fmt.Errorf("send to %s: %w", to.Short(), err)
	}
	return nil
}

// Service returns what the server said of itself at the last registration; the
// zero value before the first. It outlives the connection: STUN goes on working
// when signaling does not. What a server that is not in a private network says
// of addresses in one is left out.
func (c *Client) Service() Service {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.service.clone()
}

// STUN returns the service's STUN servers, as Service does.
func (c *Client) STUN() []string { return c.Service().STUN }

// Relay asks for a relay and a credential for one session, which both of its
// ends may use. It waits as Send does, so give ctx a deadline. Errors: wrapping
// ErrNoRelay, or ErrNotSent. Ask only if Service says Relay, or expect ErrNoRelay.
func (c *Client) Relay(ctx context.Context) (signaling.ICEServer, error) {
	relay, err := c.backlog.relay(ctx)
	if err != nil {
		return signaling.ICEServer{}, fmt.Errorf("ask for a relay: %w", err)
	}
	if relay.URLs = c.admitted(relay.URLs); len(relay.URLs) == 0 {
		return signaling.ICEServer{}, fmt.Errorf("ask for a relay: %w: it is in a private network, and the server is not", ErrNoRelay)
	}
	return relay, nil
}

// probeTimeout is how long a server has to answer a Probe.
const probeTimeout = 1500 * time.Millisecond

// Probe makes sure at once that the connection still works, and makes a new one if
// it does not: this machine's network has changed. It does not wait.
func (c *Client) Probe() {
	select {
	case c.probe <- struct{}{}:
	default: // about to be done
	}
}

// State returns the current state.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Dropped returns how many messages were dropped because OnMessage was slow.
func (c *Client) Dropped() uint64 { return c.dropped.Load() }

// Waiting returns how many messages the server has not yet taken.
func (c *Client) Waiting() int { return c.backlog.len() }

func (c *Client) setState(s State, err error) {
	c.mu.Lock()
	changed := c.state != s
	c.state = s
	c.mu.Unlock()
	if changed {
		c.opts.OnState(s, err)
	}
}

// setService notes what the server says of itself, before the state is online.
func (c *Client) setService(s Service) {
	c.mu.Lock()
	changed := !c.service.equal(s)
	c.service = s
	c.mu.Unlock()
	if changed {
		c.opts.OnService(s.clone())
	}
}

// dispatch calls OnMessage.
func (c *Client) dispatch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.inbox:
			c.opts.OnMessage(ctx, m.From, m.Payload)
		}
	}
}

// receive queues a message for dispatch, or drops it.
func (c *Client) receive(m signaling.Delivery) {
	select {
	case c.inbox <- m:
	default:
		total := c.dropped.Add(1)
		if c.dropNote.Allow() {
			c.log.Warn("signaling messages dropped, they come faster than they are handled", "total", total)
		}
	}
}

func isDisplaced(err error) bool {
	var e *signaling.ServerError
	return errors.As(err, &e) && e.Code == signaling.CodeDisplaced
}

// jitter returns a random time between half of d and d, so that the clients of
// a restarted server do not all come back at once.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // no secret
}

// sleep waits, and reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
