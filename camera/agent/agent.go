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
	access    *access
	guard     *guard
	sessions  *sessionTable
	metrics   *metrics
	events    *limiter // event streams, all together
	requests  *limiter // requests under way on the own listener
	verifier  *signaling.OfferVerifier
	signal    *client.Client // nil without signaling
	offers    *limiter       // offers being answered
	refusals  *limiter       // offers of strangers being refused
	channels  *http.Server   // over data channels
	own       *http.Server   // on the own listener
	ownRoutes http.Handler

	online    atomic.Bool
	publisher atomic.Pointer[publisher] // set while Run runs

	closing  chan struct{}  // closed when Run ends: event streams end
	resweep  chan struct{}  // capacity 1: look for revoked viewers now
	watching sync.WaitGroup // short work for viewers: offers, ends
}

// Limits of the HTTP API.
const (
	maxHeaderBytes        = 16 << 10
	maxBodyBytes          = 64 << 10
	maxConnections        = 1024 // on the own listener
	maxSilent             = 768  // of those, that say nothing
	maxRequests           = 256  // under way, on the own listener
	maxRequestsPerSession = 32   // under way, over one session's data channels
	maxEventStreams       = 256
	maxOffers             = 16 // being answered at a time
	maxRefusals           = 4  // of strangers, being refused at a time
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
		cameras:  publish(o.Cameras),
		access:   &access{open: o.Open, list: o.AllowList},
		guard:    newGuard(o.AllowedHosts),
		sessions: newSessionTable(o.MaxSessions, o.MaxSessionsPerPeer),
		metrics:  newMetrics(),
		events:   newLimiter(maxEventStreams),
		requests: newLimiter(maxRequests),
		offers:   newLimiter(maxOffers),
		refusals: newLimiter(maxRefusals),
		closing:  make(chan struct{}),
		resweep:  make(chan struct{}, 1),
	}
	var err error
	a.verifier, err = signaling.NewOfferVerifier(signaling.OfferVerifierOptions{Identity: o.Identity, Authorize: func(of *signaling.Offer) error { return a.access.allow(of.From) }})
	if err != nil {
		return nil, err
	}
	if o.Signal != "" {
		a.signal, err = client.New(client.Options{
			URL: o.Signal, Identity: o.Identity, Logger: o.Logger.With("part", "signaling"), HTTPClient: o.SignalHTTP, AllowPlaintext: o.SignalPlaintext,
			OnMessage: a.receive, OnState: a.signalState,
		})
		if err != nil {
			return nil, fmt.Errorf("signaling server: %w", err)
		}
	}
	a.ownRoutes = a.handler(overListener)
	a.own = newHTTPServer(a.ownRoutes, o.Logger)
	a.channels = newHTTPServer(a.handler(overChannel), o.Logger)
	a.channels.BaseContext = sessionContext
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
	a.access.list.Reload()
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
	e, err := peer.Listen(peer.EndpointOptions{
		Certificate: a.opts.Identity.Certificate(), Addr: a.opts.UDP, Loopback: true,
		MaxSessions: a.opts.MaxSessions, Logger: a.log.With("part", "peer"),
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

	var wg sync.WaitGroup
	for _, c := range a.cameras.order {
		wg.Go(func() { _ = c.Run(ctx) }) // only ever ctx's error
	}
	if a.signal != nil {
		wg.Go(func() { _ = a.signal.Run(ctx) }) // likewise
	}
	if l := a.opts.Listener; l != nil {
		wg.Go(func() {
			if err := a.own.Serve(a.ownListener(l)); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("serve %s: %w", l.Addr(), err))
			}
		})
	}
	wg.Go(func() { a.sweepRegularly(ctx) })

	<-ctx.Done()
	if l := a.opts.Console; l != nil {
		_ = l.Close()
	}
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

// ownListener puts around the own listener what keeps strangers' connections
// from using it up, under TLS where the listener wants that.
func (a *Agent) ownListener(l net.Listener) net.Listener {
	limited := conngate.New(l, conngate.Options{Max: maxSilent})
	a.own.ConnState = limited.ConnState
	tls, _ := l.(securer)
	return newLimitedListener(limited, maxConnections, tls)
}

// shutdown ends what viewers hold open.
func (a *Agent) shutdown(ctx context.Context) {
	close(a.closing)
	ctx, cancel := context.WithTimeout(ctx, shutdownWait)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range a.sessions.close() {
		wg.Go(func() { _ = s.media.Close() })
	}
	for _, srv := range []*http.Server{a.own, a.channels} {
		wg.Go(func() {
			if srv.Shutdown(ctx) != nil {
				_ = srv.Close()
			}
		})
	}
	wg.Wait()
}

// open answers an offer and enters the session. Errors: peer.ErrBadOffer,
// peer.ErrBusy, and others that are the agent's own.
func (a *Agent) open(ctx context.Context, s *session, o peer.Offer) (answer string, err error) {
	p := a.publisher.Load()
	if p == nil || !a.sessions.reserve() {
		return "", peer.ErrBusy
	}
	answering, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	media, answer, err := (*p).Answer(answering, o)
	if err != nil {
		a.sessions.cancel()
		return "", err
	}
	s.media, s.started, s.limit = media, time.Now(), newLimiter(maxRequestsPerSession)
	oldest, ok := a.sessions.add(s)
	if !ok {
		return "", errors.Join(peer.ErrBusy, media.Close())
	}
	for _, old := range oldest {
		a.watching.Go(func() { a.end(ctx, old, "A newer connection of this device took its place.") })
	}
	go a.attend(s) // add has counted it
	return answer, nil
}

// attend serves a session's data channels until it ends.
func (a *Agent) attend(s *session) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.channels.Serve(&sessionListener{Listener: s.media.Listener(), session: s}) })
	a.awaitPath(s)
	<-s.media.Done()
	_ = s.media.Listener().Close()
	wg.Wait()
	left := a.log.With("session", s.logID(), "via", s.via)
	if err := s.media.Err(); err != nil {
		left = left.With("error", err)
	}
	left.Info("a viewer left")
	a.sessions.remove(s)
}

// awaitPath ends a session that finds no path in time: ICE has nothing to fail
// over while no candidate of the viewer ever comes.
func (a *Agent) awaitPath(s *session) {
	timer := time.NewTimer(connectTimeout)
	defer timer.Stop()
	select {
	case <-s.media.Done():
	case <-timer.C:
		if !s.media.Stats().Connected {
			_ = s.media.Close()
		}
	}
}

// end closes a session and tells the viewer why, where there is a way to: for a
// moment only, since the way may be long or dead and the picture must stop.
func (a *Agent) end(ctx context.Context, s *session, reason string) {
	if s.ending.Swap(true) {
		return
	}
	if s.intro != nil && a.signal != nil {
		if bye, err := s.intro.Bye(time.Now(), reason); err == nil {
			ctx, cancel := context.WithTimeout(ctx, farewell)
			defer cancel()
			a.send(ctx, s.key.viewer, bye)
		}
	}
	_ = s.media.Close()
}

func (a *Agent) sweepRegularly(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			a.sweep(ctx)
		case <-a.resweep:
			a.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// sweep ends the sessions of viewers who may no longer watch.
func (a *Agent) sweep(ctx context.Context) {
	gone, ok := a.access.revoked()
	if !ok {
		return
	}
	for _, s := range a.sessions.of(gone) {
		a.watching.Go(func() { a.end(ctx, s, "Your access was taken back.") })
	}
}

// sessionListener is a session's data channels, for a.channels.
type sessionListener struct {
	net.Listener
	session *session
}

type sessionContextKey struct{}

// sessionContext gives every request over a data channel its session.
func sessionContext(l net.Listener) context.Context {
	if sl, ok := l.(*sessionListener); ok {
		return context.WithValue(context.Background(), sessionContextKey{}, sl.session)
	}
	return context.Background()
}

// sessionOf returns the session that a request came over; nil on the own
// listener.
func sessionOf(r *http.Request) *session {
	s, _ := r.Context().Value(sessionContextKey{}).(*session)
	return s
}
