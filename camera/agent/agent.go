package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	conngate "github.com/sightline-cam/sightline/internal/gate"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// Agent publishes cameras. Make it with New, start it with Run.
type Agent struct {
	// Constant after construction.
	opts      Options
	log       *slog.Logger
	cameras   *published
	gate      *gate
	guard     *guard
	sessions  *sessionTable
	tokens    *whepTokens
	metrics   *metrics
	journal   *journal
	allow     *allowances
	strangers *rate.Limiter            // messages of peers that are not known
	events    *limiter                 // event streams, all together
	requests  *limiter                 // requests under way on the own listener
	downloads *downloads               // long answers under way
	fragments *heldBytes               // memory of those for recorders
	verifier  *signaling.OfferVerifier // of those who want to watch
	claims    *signaling.OfferVerifier // of those who have a secret to show
	signal    sender                   // nil without signaling
	offers    *limiter                 // offers of known peers being answered
	refusals  *limiter                 // offers of strangers being answered
	ice       *iceServers
	relays    relays       // nil without signaling
	channels  *http.Server // over data channels
	own       *http.Server // on the own listener
	console   *http.Server // on the console's socket
	ownRoutes http.Handler

	admitted sync.Map // *signaling.Offer -> *trust.Principal, from Accept to the session

	online    atomic.Bool
	publisher atomic.Pointer[publisher] // set while Run runs

	closing  chan struct{}  // closed when Run ends: event streams end
	resweep  chan struct{}  // capacity 1: look for revoked viewers now
	watching sync.WaitGroup // short work for viewers: offers, ends
}

// sender passes messages on: a *client.Client.
type sender interface {
	Run(ctx context.Context) error
	Send(ctx context.Context, to identity.PeerID, payload string) error
}

// Limits of the HTTP API.
const (
	maxHeaderBytes        = 16 << 10
	maxBodyBytes          = 64 << 10
	maxConnections        = 1024 // on the own listener
	maxSilent             = 768  // of those, that say nothing
	maxRequests           = 256  // under way, on the own listener
	maxRequestsPerSession = 32   // under way, over one session's data channels
	maxDownloads          = 128  // answers of long routes, which do not count as requests
	maxDownloadsPerPeer   = 24   // of those
	maxConsole            = 16   // connections and requests at the console
	maxEventStreams       = 256
	maxEventsPerSession   = 4  // of those; a page needs one
	maxOffers             = 16 // of known peers, being answered at a time
	maxRefusals           = 4  // of strangers, being answered at a time
	maxClaims             = 4  // sessions of those who show a secret
)

// New checks the options. It does no I/O.
func New(o Options) (*Agent, error) {
	o.setDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := o.setTrust(); err != nil {
		return nil, err
	}
	a := &Agent{
		opts: o, log: o.Logger,
		cameras:   publish(o.Cameras, o.Spool.of(o.Logger)),
		gate:      &gate{trust: o.Trust, list: o.AllowList},
		guard:     newGuard(o.AllowedHosts),
		sessions:  newSessionTable(o.MaxSessions, o.MaxSessionsPerPeer),
		tokens:    newWHEPTokens(),
		metrics:   newMetrics(),
		journal:   newJournal(o.Log),
		allow:     newAllowances(),
		strangers: rate.NewLimiter(strangersPerSecond, strangersBurst),
		events:    newLimiter(maxEventStreams),
		requests:  newLimiter(maxRequests),
		downloads: newDownloads(maxDownloads, maxDownloadsPerPeer),
		fragments: newHeldBytes(),
		offers:    newLimiter(maxOffers),
		refusals:  newLimiter(maxRefusals),
		closing:   make(chan struct{}),
		resweep:   make(chan struct{}, 1),
		ice:       newICEServers(o.STUN, o.Logger.With("part", "relay")),
	}
	var err error
	if a.verifier, err = signaling.NewOfferVerifier(signaling.OfferVerifierOptions{Identity: o.Identity, Authorize: a.authorizeOffer}); err != nil {
		return nil, err
	}
	// Anyone may claim while the pairing is open. A memory of its own keeps them
	// from pushing the offers of those who may watch out of the other.
	a.claims, err = signaling.NewOfferVerifier(signaling.OfferVerifierOptions{Identity: o.Identity, Authorize: a.authorizeClaim, Viewers: 128, NoncesPerViewer: 8})
	if err != nil {
		return nil, err
	}
	if o.Signal != "" {
		c, err := client.New(client.Options{
			URL: o.Signal, Identity: o.Identity, Logger: o.Logger.With("part", "signaling"), HTTPClient: o.SignalHTTP, AllowPlaintext: o.SignalPlaintext,
			OnMessage: a.receive, OnState: a.signalState, OnService: a.ice.set,
		})
		if err != nil {
			return nil, fmt.Errorf("signaling server: %w", err)
		}
		a.signal, a.relays = c, c
	}
	if err := a.checkExtra(); err != nil {
		return nil, err
	}
	a.ownRoutes = a.handler(overListener)
	a.own = newHTTPServer(a.ownRoutes, o.Logger)
	a.channels = newHTTPServer(a.handler(overChannel), o.Logger)
	a.channels.BaseContext = sessionContext
	a.console = newHTTPServer(a.handler(overConsole), o.Logger)
	return a, nil
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// PeerID names the agent.
func (a *Agent) PeerID() identity.PeerID { return a.opts.Identity.PeerID() }

// ReloadAccess reads the list of allowed viewers again and ends the sessions of
// those who are no longer on it. Run does it by itself when the file changes.
func (a *Agent) ReloadAccess() {
	a.gate.list.Reload()
	select {
	case a.resweep <- struct{}{}:
	default:
	}
}

// Run connects the cameras and serves viewers until ctx ends; then it returns
// nil. Any other end is an error. It closes the listener of the options and
// waits for everything it started. Call it once.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e, err := peer.Listen(peer.EndpointOptions{ //nolint:contextcheck // it lives until Close
		Certificate: a.opts.Identity.Certificate(), Addr: a.opts.UDP, Loopback: true,
		MaxSessions: a.opts.MaxSessions + maxClaims, Logger: a.log.With("part", "peer"),
		Interfaces: a.opts.Interfaces, STUN: peer.STUNHosts(a.opts.STUN), PortMap: a.opts.PortMap, PortMapSecret: mapSecret(a.opts.DirectKey), External: a.opts.External,
		TCP: a.opts.TCP, Resolve: a.opts.Resolve, Direct: a, OnNetwork: a.networkChanged,
	})
	if err != nil {
		for _, l := range []net.Listener{a.opts.Listener, a.opts.Console} {
			if l != nil {
				err = errors.Join(err, l.Close())
			}
		}
		return err
	}
	var p publisher = endpoint{e}
	a.publisher.Store(&p)
	if a.opts.OnUDP != nil {
		a.opts.OnUDP(e.Addr().Port())
	}

	var wg sync.WaitGroup
	for _, c := range a.cameras.order {
		wg.Go(func() { _ = c.Run(ctx) }) // only ever ctx's error
		if c.spool != nil {
			wg.Go(func() { _ = c.spool.Run(ctx) }) // likewise
		}
	}
	if a.signal != nil {
		wg.Go(func() { _ = a.signal.Run(ctx) }) // likewise
	}
	serve := func(srv *http.Server, l net.Listener) {
		wg.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("serve %s: %w", l.Addr(), err))
			}
		})
	}
	if l := a.opts.Listener; l != nil {
		serve(a.own, a.ownListener(l))
	}
	if l := a.opts.Console; l != nil {
		serve(a.console, newLimitedListener(l, maxConsole, nil))
	}
	wg.Go(func() { a.ice.run(ctx, a.relays, p) })
	wg.Go(func() { a.watchAccess(ctx) })
	wg.Go(func() { a.keepTrust(ctx) })
	a.checkClock()
	a.journal.add(accesslog.Entry{Kind: accesslog.Started, Peer: string(a.PeerID()), What: "version " + a.opts.Version})

	<-ctx.Done()
	a.publisher.Store(nil)
	a.shutdown(context.WithoutCancel(ctx))
	wg.Wait()
	a.watching.Wait()
	a.sessions.wait()
	err = e.Close()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return errors.Join(cause, err)
	}
	return err
}

// networkChanged makes sure that signaling works over the network as it is now.
func (a *Agent) networkChanged() {
	if s, ok := a.signal.(interface{ Probe() }); ok {
		s.Probe()
	}
}

// ownListener puts around the own listener what keeps strangers' connections
// from using it up, under TLS where the listener wants that.
func (a *Agent) ownListener(l net.Listener) net.Listener {
	limited := conngate.New(l, conngate.Options{Max: maxSilent, OnClose: func() { a.metrics.refused(check.Refused(check.Connections, errSilent)) }})
	a.own.ConnState = limited.ConnState
	tls, _ := l.(securer)
	return newLimitedListener(limited, maxConnections, tls)
}

// errSilent says that a connection was closed to make room.
var errSilent = errors.New("a connection that said nothing")

// shutdown ends what viewers hold open.
func (a *Agent) shutdown(ctx context.Context) {
	close(a.closing)
	ctx, cancel := context.WithTimeout(ctx, shutdownWait)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range a.sessions.close() {
		wg.Go(func() { _ = s.media.Close() })
	}
	for _, srv := range []*http.Server{a.own, a.channels, a.console} {
		wg.Go(func() {
			if srv.Shutdown(ctx) != nil {
				_ = srv.Close()
			}
		})
	}
	wg.Wait()
}
