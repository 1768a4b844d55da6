package portmap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultLifetime = 2 * time.Hour
	minLifetime     = 2 * time.Minute
	// releaseWait is how long taking a mapping back may take.
	releaseWait = time.Second
)

// Client keeps a port mapped as long as Run runs. Safe for concurrent use.
type Client struct {
	opts    Options       // constant
	again   chan struct{} // of Renew; holds one
	started atomic.Bool

	mu       sync.Mutex
	mappings []Mapping // replaced, never changed
	report   Report    // its Protocols is replaced, never changed
}

// New makes a Client. It sends nothing before Run.
func New(opts Options) (*Client, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Client{opts: opts, again: make(chan struct{}, 1), report: emptyReport("It was not asked yet.")}, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Port == 0 {
		return o, errors.New("port mapping: no port was given")
	}
	if o.Lifetime == 0 {
		o.Lifetime = defaultLifetime
	}
	if o.Lifetime < minLifetime || o.Lifetime > maxLifetime {
		return o, fmt.Errorf("port mapping: a lifetime of %s; choose one from %s to %s", o.Lifetime, minLifetime, maxLifetime)
	}
	if o.Gateway == nil {
		o.Gateway = defaultGateway
	}
	if o.OnChange == nil {
		o.OnChange = func() {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if len(o.Secret) == 0 {
		o.Secret = make([]byte, 32)
		_, _ = rand.Read(o.Secret) // never fails
	}
	if o.release == 0 {
		o.release = releaseWait
	}
	if o.mappers == nil {
		o.mappers = newMappers
	}
	return o, nil
}

// Run maps the port and keeps it mapped until ctx ends, then takes the mapping
// back, which takes at most two seconds, and returns the cause. When the router
// maps nothing, Run asks again after a minute, and ever more seldom, up to every
// hour. Run can be called once.
func (c *Client) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return errors.New("port mapping: Run was called before")
	}
	k := keeper{client: c, opts: c.opts}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.release)
		defer cancel()
		k.release(bounded)
	}()
	for {
		wait := k.pass(ctx)
		// However often the network changes, the router is asked once a second.
		if !sleep(ctx, minGap) {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(wait - minGap)
		select {
		case <-timer.C:
		case <-c.again:
			timer.Stop()
			k.retry = 0
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// sleep waits, and returns false if ctx ended.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Renew says that the network may have changed: the router is asked at once, or, if
// that was within the last second, after it.
func (c *Client) Renew() {
	select {
	case c.again <- struct{}{}:
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
	return c.report.clone()
}

// publish replaces what Mappings and Report return, and tells if it is new to who
// waits for it. That a mapping was renewed is not.
func (c *Client) publish(mappings []Mapping, r Report) (changed bool) {
	c.mu.Lock()
	changed = !r.equal(c.report) || !slices.EqualFunc(mappings, c.mappings, func(a, b Mapping) bool {
		a.Expires, b.Expires = time.Time{}, time.Time{}
		return a == b
	})
	c.mappings, c.report = slices.Clone(mappings), r.clone()
	c.mu.Unlock()
	if changed {
		c.opts.OnChange()
	}
	return changed
}
