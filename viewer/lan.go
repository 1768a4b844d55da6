package viewer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/discovery"
	"github.com/sightline-cam/sightline/signaling/client"
)

const (
	// serverPatience is how long the signaling server has before the publisher is
	// looked for in this network too.
	serverPatience = time.Second
	// lanPatience bounds the search once the server has said that it does not know
	// where the publisher is.
	lanPatience = 4 * time.Second
	// tryPatience bounds one attempt at what was found, and addressPatience a
	// connection to one of its addresses.
	tryPatience     = 8 * time.Second
	addressPatience = 2 * time.Second
	// maxTries is how many attempts run at a time, and maxFound how many more wait.
	maxTries = 4
	maxFound = 16
)

// errNoServer stands for the server that no address was given of.
var errNoServer = errors.New("no signaling server given")

// dialResult is how an attempt ended.
type dialResult struct {
	session *Session
	err     error
}

// settled reports whether the publisher itself has decided: a session, or a
// refusal that it signed.
func (r dialResult) settled() bool {
	_, refused := errors.AsType[*RejectedError](r.err)
	return r.err == nil || refused
}

// dialWithLAN dials by way of the signaling server, and if that does not answer,
// or does not know the publisher, by way of the publisher itself.
func dialWithLAN(ctx context.Context, o Options) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reached := make(chan struct{})
	server := make(chan dialResult, 1)
	o.reached = sync.OnceFunc(func() { close(reached) })
	if o.SignalURL == "" {
		server <- dialResult{err: errNoServer}
	} else {
		go func() {
			s, err := dialServer(ctx, o)
			server <- dialResult{s, err}
		}()
	}
	patience := time.NewTimer(serverPatience)
	defer patience.Stop()
	var first dialResult
	over := false // the server's attempt
	select {
	case first = <-server:
		over = true
	case <-reached:
		first, over = <-server, true
	case <-patience.C:
	}
	if over && (first.settled() || !errors.Is(first.err, client.ErrUnreachable) && !errors.Is(first.err, errNoServer)) {
		return first.session, first.err
	}
	search := ctx
	if errors.Is(first.err, client.ErrUnreachable) {
		var stop context.CancelFunc
		search, stop = context.WithTimeout(ctx, lanPatience)
		defer stop()
	}
	lan := make(chan dialResult, 1)
	go func() {
		s, err := dialWithoutServer(search, o)
		lan <- dialResult{s, err}
	}()
	if over {
		server <- first
	}
	return firstSession(cancel, server, lan) //nolint:contextcheck // the session to close outlives ctx
}

// firstSession waits for both attempts, ends the slower one, and returns the
// session of the other.
func firstSession(cancel func(), server, lan <-chan dialResult) (*Session, error) {
	var a, b dialResult
	select {
	case a = <-server:
		if a.settled() {
			cancel()
		}
		b = <-lan
	case b = <-lan:
		if b.settled() {
			cancel()
		}
		a = <-server
	}
	switch {
	case a.session != nil:
		if b.session != nil {
			_ = b.session.Close()
		}
		return a.session, nil
	case b.settled():
		return b.session, b.err
	case a.settled():
		return nil, a.err
	}
	return nil, fmt.Errorf("%w; %w", a.err, b.err)
}

// dialLAN looks for the publisher in this network and dials by way of its own
// signaling server, until there is a session or ctx ends.
func dialLAN(ctx context.Context, o Options) (*Session, error) {
	lan := discovery.New(discovery.Options{Logger: o.Logger})
	defer lan.Close() //nolint:errcheck // only asked
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	found := make(chan discovery.Service, maxFound)
	won := make(chan dialResult, 1)
	var tries sync.WaitGroup
	for range maxTries {
		tries.Go(func() {
			for s := range found {
				r := o.tryService(ctx, s)
				if r.settled() {
					select {
					case won <- r:
						stop()
					default:
						if r.session != nil {
							_ = r.session.Close() //nolint:contextcheck // it outlives ctx
						}
					}
				} else if ctx.Err() == nil {
					o.Logger.Info("not the publisher, or no way to it", "addresses", s.Addresses, "error", r.err)
				}
			}
		})
	}
	err := lan.Browse(ctx, o.Peer, func(s discovery.Service) {
		select {
		case found <- s:
		default: // a flood; what is tried already is as good
		}
	})
	close(found)
	tries.Wait()
	select {
	case r := <-won:
		return r.session, r.err
	default:
	}
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("look for it in this network: %w", discovery.ErrNotFound)
}

// tryService dials one that answered in the publisher's name: by way of its
// listener, and directly if there is a ticket. Addresses in a ticket grow old; what
// it was given for does not.
func (o Options) tryService(ctx context.Context, s discovery.Service) dialResult {
	ctx, cancel := context.WithTimeout(ctx, tryPatience)
	defer cancel()
	o.reached = nil
	var ways []func(context.Context) (*Session, error)
	if s.Port != 0 {
		ways = append(ways, func(ctx context.Context) (*Session, error) { return dialListener(ctx, o, s) })
	}
	if s.UDP != 0 && o.Ticket != nil {
		t := *o.Ticket
		t.Addresses = make([]netip.AddrPort, 0, len(s.Addresses))
		for _, a := range s.Addresses {
			t.Addresses = append(t.Addresses, netip.AddrPortFrom(a, s.UDP))
		}
		direct := o
		direct.Ticket = &t
		ways = append(ways, func(ctx context.Context) (*Session, error) { return dialTicket(ctx, direct) })
	}
	results := make([]chan dialResult, len(ways))
	for i, dial := range ways {
		results[i] = make(chan dialResult, 1)
		go func() {
			session, err := dial(ctx)
			results[i] <- dialResult{session, err}
		}()
	}
	switch len(results) {
	case 0:
		return dialResult{err: errors.New("it has no listener, and there is no ticket to dial it directly")}
	case 1:
		return <-results[0]
	}
	session, err := firstSession(cancel, results[0], results[1]) //nolint:contextcheck // the session to close outlives ctx
	return dialResult{session, err}
}

// dialListener dials by way of the signaling server that a publisher has itself.
//
// Its certificate proves nothing, since there is no name that it could be for, and
// is not looked at: as through any signaling server, what is said is sealed to the
// publisher's key, and nothing is connected to unless that key signed the answer.
// Whoever lies about being the publisher learns that this viewer looks for it.
func dialListener(ctx context.Context, o Options, s discovery.Service) (*Session, error) {
	// A registration is for a host and port by name: for an address without its
	// zone, which the other side does not know.
	scheme := "ws"
	if s.TLS {
		scheme = "wss"
	}
	port := strconv.Itoa(int(s.Port))
	o.SignalURL, o.neighbour = scheme+"://"+net.JoinHostPort(s.Addresses[0].WithZone("").String(), port), true
	o.HTTPClient = &http.Client{Transport: &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dialFirst(ctx, s.Addresses, port) },
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // see above
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}}
	return dialServer(ctx, o)
}

// dialFirst connects to the first address that answers.
func dialFirst(ctx context.Context, addresses []netip.Addr, port string) (net.Conn, error) {
	var errs []error
	for _, a := range addresses {
		d := net.Dialer{Timeout: addressPatience}
		c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), port))
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
