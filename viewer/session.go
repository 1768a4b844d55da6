package viewer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// BaseURL is where a session's HTTP client finds the publisher's API. The host
// means nothing: the client reaches no one else.
const BaseURL = "http://publisher"

const (
	// defaultTimeout is Options.Timeout's default.
	defaultTimeout = 15 * time.Second
	// farewell is how long Close tries to say so to the publisher.
	farewell = 3 * time.Second
	// maxConnections is how many requests run at once; the publisher takes 64
	// channels, and some are still closing.
	maxConnections = 32
)

// Options say whom to watch, and how.
type Options struct {
	// SignalURL is the signaling server: wss://host[:port], or ws:// on
	// loopback. Required, unless LAN is set.
	SignalURL string
	// LAN also looks for the publisher in this machine's own network, by multicast
	// DNS, if the signaling server does not answer within a second or does not know
	// it, and dials by way of the publisher's own listener.
	LAN bool
	// Identity is the viewer's key, Peer the publisher's id. Required.
	Identity *Identity
	Peer     PeerID
	// Cameras are the ids of the cameras to watch, at most 16; none means the
	// publisher's first.
	Cameras []string
	// Ticket dials the publisher's last addresses directly if the signaling server
	// does not answer within a second or does not know it; see Session.Ticket.
	Ticket *Ticket
	// Grants are what gives this viewer its rights at the publisher; owners need
	// none. They come from ClaimAccess, or from whoever passes one on. At most 4.
	Grants []string
	// reached is called when the signaling server has answered; may be nil.
	reached func()
	// neighbour says that the signaling server is whoever answered in this network:
	// it may speak ws://, and does not choose whom this viewer sends packets to.
	neighbour bool
	// claim is what ClaimAccess dials with.
	claim signaling.Claim
	// ICEServers are STUN servers and relays beside those that the signaling server
	// and the publisher name; see Session.ICEServers.
	ICEServers []ICEServer
	forceRelay bool // use nothing but relays, for tests
	// NoMedia asks for no picture or sound, only for the HTTP API.
	NoMedia bool
	// NoAudio asks for no sound.
	NoAudio bool
	// Timeout bounds Dial; default 15 s.
	Timeout time.Duration
	// Patience is how long a lost packet is waited for; default 500 ms. More
	// loses fewer frames, less keeps closer to live.
	Patience time.Duration
	// Loopback uses the loopback interface too, for a publisher on the same
	// machine that listens nowhere else.
	Loopback bool
	// Switchboard shares connections to signaling servers with other sessions of
	// this process; nil: the session has one of its own.
	Switchboard *Switchboard
	// HTTPClient dials the signaling server; nil is a client of its own.
	HTTPClient *http.Client
	// Logger takes what happens; nil discards.
	Logger *slog.Logger
}

func (o *Options) check() error {
	switch {
	case o.Identity == nil:
		return errors.New("no identity given: see LoadIdentity")
	case o.SignalURL == "" && !o.LAN && !o.Ticket.usable():
		return errNoServer
	case len(o.Cameras) > 16:
		return errors.New("more than 16 cameras in one session: open a second one")
	}
	if err := o.Peer.Validate(); err != nil {
		return err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if len(o.Cameras) == 0 {
		o.Cameras = []string{""}
	}
	return nil
}

// Session is a connection to a publisher. It outlives its signaling server.
// Safe for concurrent use.
type Session struct {
	// Constant after Dial.
	o         Options
	conn      *peer.Conn
	handshake *handshake
	signal    *client.Client
	http      *http.Client
	frames    *peer.UnitReader
	cancel    context.CancelFunc // ends the signaling client
	running   sync.WaitGroup     // the signaling client and the watcher
	closeOnce sync.Once
}

// Dial connects to a publisher and waits until the session stands. ctx and
// Options.Timeout end the attempt, not the session.
//
// Errors: *RejectedError if the publisher refuses, client.ErrUnreachable if it
// is not there, peer.ErrNoRoute if no packet gets through.
func Dial(ctx context.Context, o Options) (*Session, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("viewer: dial: %w", err)
	}
	ctx, cancelDial := context.WithTimeout(ctx, o.Timeout)
	defer cancelDial()
	if o.LAN || o.Ticket.usable() {
		return dialWithLAN(ctx, o)
	}
	return dialServer(ctx, o)
}

// dialServer dials by way of the signaling server.
func dialServer(ctx context.Context, o Options) (*Session, error) {
	h := newHandshake(o)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Session{o: o, handshake: h, frames: peer.NewUnitReader(), cancel: cancel}
	connected, err := o.signal(run, h)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("viewer: dial: %w", err)
	}
	s.signal = h.signal
	s.running.Go(connected)
	s.running.Go(func() { h.run(run) })
	s.running.Go(func() { h.lookUp(ctx) })
	if err = h.awaitServer(ctx); err == nil {
		if o.reached != nil {
			o.reached()
		}
		err = s.connect(ctx, run)
	}
	if err != nil {
		s.goodbye("the viewer could not connect") //nolint:contextcheck // ctx may be what ended
		cancel()
		s.running.Wait()
		return nil, fmt.Errorf("viewer: dial %s: %w", o.Peer.Short(), err)
	}
	s.begin(run)
	return s, nil
}

// signal gives the handshake its connection to the signaling server, which lasts
// while run does: until ctx ends.
func (o Options) signal(ctx context.Context, h *handshake) (run func(), err error) {
	if o.Switchboard != nil && !o.neighbour {
		c, leave, err := o.Switchboard.join(ctx, h)
		if err != nil {
			return nil, err
		}
		h.signal = c
		return func() {
			<-ctx.Done()
			leave()
		}, nil
	}
	c, err := client.New(client.Options{
		URL: o.SignalURL, Identity: o.Identity, Logger: o.Logger, HTTPClient: o.HTTPClient, AllowPlaintext: o.neighbour,
		OnMessage: func(_ context.Context, _ identity.PeerID, payload string) { h.message(payload) },
		OnState:   h.state,
	})
	if err != nil {
		return nil, err
	}
	h.signal = c
	return func() { _ = c.Run(ctx) }, nil
}

// begin makes the session usable once it has a connection.
func (s *Session) begin(ctx context.Context) {
	s.http = &http.Client{Transport: &http.Transport{
		DialContext:         s.conn.DialContext,
		MaxConnsPerHost:     maxConnections,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}}
	s.running.Go(func() { s.watch(ctx) })
}

// connect opens the connection by way of the signaling server.
func (s *Session) connect(ctx, run context.Context) (err error) {
	o, h := s.o, s.handshake
	s.conn, err = peer.Dial(ctx, peer.DialOptions{
		Certificate: o.Identity.Certificate(), Loopback: o.Loopback, Logger: o.Logger,
		Video: !o.NoMedia, Audio: !o.NoMedia && !o.NoAudio, Cameras: len(o.Cameras), Patience: o.Patience,
		OnTrack: s.frames.AddTrack, ICEServers: o.servers(s.signal.STUN()), ForceRelay: o.forceRelay,
		Started: h.started, Signal: h.signalOffer, Restart: h.restart, Reachable: h.reachable,
		OnCandidate: func(line string) { h.candidate(run, line) },
	})
	return err
}

// servers are the STUN servers and relays to ask; stun are those that the signaling
// server names.
func (o Options) servers(stun []string) (out []peer.ICEServer) {
	if len(stun) > 0 && !o.neighbour {
		out = append(out, peer.ICEServer{URLs: stun})
	}
	return append(out, iceServers(o.ICEServers)...)
}

// watch ends the frames with the session.
func (s *Session) watch(ctx context.Context) {
	defer s.frames.End()
	select {
	case <-s.conn.Done():
	case <-ctx.Done():
	}
}

// ReadFrame returns the next frame of any camera, waiting for it until ctx
// ends. A reader that falls behind loses frames up to a key frame; Stats counts
// them. After the session has ended: io.EOF if Close did it, else what Err
// says.
func (s *Session) ReadFrame(ctx context.Context) (Frame, error) {
	t, u, err := s.frames.Read(ctx)
	if errors.Is(err, io.EOF) {
		if cause := s.Err(); cause != nil {
			return Frame{}, cause
		}
	}
	if err != nil {
		return Frame{}, err
	}
	return Frame{Camera: s.handshake.camera(t.MID()), Codec: t.Codec(), Unit: u}, nil
}

// HTTP returns a client for the publisher's HTTP API at BaseURL. Each request
// that runs has a data channel of its own, at most 32.
func (s *Session) HTTP() *http.Client { return s.http }

// ICEServer is a STUN server or a relay, with the credential for it.
type ICEServer = signaling.ICEServer

// ICEServers returns the servers that the publisher named. Until they expire they
// help the next session, through Options.ICEServers, to connect sooner.
func (s *Session) ICEServers() []ICEServer {
	s.handshake.mu.Lock()
	defer s.handshake.mu.Unlock()
	return append([]ICEServer(nil), s.handshake.ice...)
}

// Stats returns what is known of the session now.
func (s *Session) Stats() Stats { return s.conn.Stats() }

// RequestKeyFrame asks all cameras of the session for a key frame.
func (s *Session) RequestKeyFrame() {
	for _, t := range s.conn.Tracks() {
		if t.Kind() == "video" {
			t.RequestKeyFrame()
		}
	}
}

// Done returns a channel that is closed once the session has ended.
func (s *Session) Done() <-chan struct{} { return s.conn.Done() }

// Err says why the session ended; nil while it goes on and after Close.
func (s *Session) Err() error {
	err := s.conn.Err()
	if isClosedByUs(err) {
		return nil
	}
	return err
}

// Close ends the session, tells the publisher, and waits for all goroutines.
// Idempotent.
func (s *Session) Close() error {
	s.closeOnce.Do(func() {
		s.goodbye("the viewer has left")
		s.http.CloseIdleConnections()
		_ = s.conn.Close()
		s.cancel()
	})
	s.running.Wait()
	return nil
}

// goodbye tells the publisher that the session is over, if it can be told soon.
func (s *Session) goodbye(reason string) {
	if s.signal == nil || s.signal.State() != client.StateOnline {
		return
	}
	if payload, ok := s.handshake.bye(reason); ok {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_ = s.signal.Send(ctx, s.o.Peer, payload)
	}
}
