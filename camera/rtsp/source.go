package rtsp

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/camera"
)

// Source is a camera reached by RTSP. It implements camera.Source and
// camera.KeyFrameRequester.
type Source struct {
	// Constant after construction.
	addr  *address
	opts  Options
	trust *trust

	watched atomic.Bool

	mu       sync.Mutex // guards what follows
	first    Transport  // TCP or UDP: what worked last
	session  *session   // the running connection; nil without
	askedKey time.Time  // last request of a key frame
}

// New returns a source. It does no I/O. Errors are about the options; their
// texts hold no password.
func New(o Options) (*Source, error) {
	o = o.withDefaults()
	if _, err := ParseTransport(string(o.Transport)); err != nil {
		return nil, err
	}
	addr, err := parseAddress(o.URL, o.Username, o.Password)
	if err != nil {
		return nil, err
	}
	o.URL, o.Username, o.Password = "", "", "" // only addr holds them
	t, err := newTrust(addr, o)
	if err != nil {
		return nil, err
	}
	s := &Source{addr: addr, opts: o, trust: t, first: TCP}
	if o.Transport != Auto {
		s.first = o.Transport
	}
	return s, nil
}

// String returns the camera's address without credentials.
func (s *Source) String() string { return s.addr.String() }

// Transport returns the transport that the next connection tries first.
func (s *Source) Transport() Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// Run implements camera.Source. Unless ctx ended, the error is an *Error.
func (s *Source) Run(ctx context.Context, out camera.Output) error {
	first := s.Transport()
	err := s.try(ctx, first, out)
	failed, ok := errors.AsType[*transportError](err)
	if !ok {
		return s.final(ctx, err)
	}
	if s.opts.Transport != Auto {
		return s.final(ctx, s.addr.errorf(NoMedia, "%s; set the transport to auto or %s", failed, first.other()))
	}
	s.opts.Logger.Info("trying the other RTSP transport", "transport", string(first.other()), "reason", failed.text)
	err = s.try(ctx, first.other(), out)
	if again, ok := errors.AsType[*transportError](err); ok {
		return s.final(ctx, s.addr.errorf(NoMedia, "no video comes from the camera: %s, and %s; "+
			"allow RTP over TCP in the camera, or UDP in the firewalls between", failed, again))
	}
	return s.final(ctx, err)
}

func (s *Source) final(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// try runs one connection over one transport.
func (s *Source) try(ctx context.Context, t Transport, out camera.Output) error {
	c := newSession(s, t, out)
	s.mu.Lock()
	s.session = c
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.session = nil
	}()
	return c.run(ctx)
}

// worked remembers a transport over which packets came.
func (s *Source) worked(t Transport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = t
}

// SetWatched implements camera.Attentive: while nobody watches, what comes over TCP
// is read ten times a second only.
func (s *Source) SetWatched(watched bool) {
	s.watched.Store(watched)
	s.mu.Lock()
	c := s.session
	s.mu.Unlock()
	if c != nil {
		c.heed()
	}
}

// RequestKeyFrame implements camera.KeyFrameRequester by an RTCP picture loss
// indication (RFC 4585 §6.3.1) at most once a second. Many cameras ignore it.
func (s *Source) RequestKeyFrame() {
	const atMost = time.Second
	s.mu.Lock()
	c, now := s.session, time.Now()
	if c == nil || !s.askedKey.IsZero() && now.Sub(s.askedKey) < atMost {
		s.mu.Unlock()
		return
	}
	s.askedKey = now
	s.mu.Unlock()
	c.requestKeyFrame()
}
