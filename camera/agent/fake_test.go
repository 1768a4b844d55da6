package agent

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
)

// idleSource announces its tracks and delivers nothing.
type idleSource struct{ tracks []codecs.Track }

func (s idleSource) Run(ctx context.Context, out camera.Output) error {
	if s.tracks != nil {
		out.SetTracks(s.tracks)
	}
	<-ctx.Done()
	return ctx.Err()
}

// fakePublisher answers every offer with "v=0 answer", or with err.
type fakePublisher struct {
	err error

	mu       sync.Mutex
	sessions []*fakeSession
	picked   []string
}

func (p *fakePublisher) Answer(_ context.Context, o peer.Offer) (mediaSession, string, error) {
	if p.err != nil {
		return nil, "", p.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, mid := range []string{"0", "1", "2", "3"} {
		if o.Pick == nil {
			break
		}
		for _, kind := range []string{"video", "audio"} {
			if o.Pick(mid, kind) != nil {
				p.picked = append(p.picked, mid+kind)
			}
		}
	}
	s := newFakeSession()
	p.sessions = append(p.sessions, s)
	return s, "v=0\r\nanswer\r\n", nil
}

func (p *fakePublisher) AnswerDirect(_ context.Context, _ peer.DirectCall, _ [32]byte) (mediaSession, error) {
	m, _, err := p.Answer(context.Background(), peer.Offer{})
	return m, err
}

func (p *fakePublisher) Network() peer.Network      { return peer.Network{} }
func (p *fakePublisher) Fingerprint() string        { return "sha-256 AA" }
func (p *fakePublisher) SetSTUN([]string)           {}
func (p *fakePublisher) SetRelays([]peer.ICEServer) {}

func (p *fakePublisher) session(i int) *fakeSession {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions[i]
}

// fakeSession is connected at once, and records candidates.
type fakeSession struct {
	listener  fakeListener
	connected chan struct{} // closed
	done      chan struct{}
	once      sync.Once

	mu         sync.Mutex
	candidates []string
}

func newFakeSession() *fakeSession {
	connected := make(chan struct{})
	close(connected)
	return &fakeSession{connected: connected, done: make(chan struct{}), listener: fakeListener{make(chan struct{})}}
}

func (s *fakeSession) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *fakeSession) Renegotiate(_ context.Context, o peer.Offer) (string, error) {
	if strings.Contains(o.SDP, "bad") {
		return "", errors.Join(peer.ErrBadOffer)
	}
	return "v=0\r\nagain\r\n", nil
}

func (s *fakeSession) Restart(_ context.Context, offer string) (string, error) {
	if strings.Contains(offer, "bad") {
		return "", peer.ErrBadOffer
	}
	return "v=0\r\nrestarted\r\n", nil
}

func (s *fakeSession) Pairs() []peer.PairStats { return nil }

func (s *fakeSession) AddCandidate(candidate, mid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Contains(candidate, "unusable") {
		return errors.New("unusable")
	}
	s.candidates = append(s.candidates, mid+" "+candidate)
	return nil
}
func (s *fakeSession) Listener() net.Listener { return s.listener }
func (s *fakeSession) Connected() <-chan struct{} {
	return s.connected
}
func (s *fakeSession) Done() <-chan struct{} { return s.done }
func (s *fakeSession) Err() error            { return nil }
func (s *fakeSession) Stats() peer.Stats {
	return peer.Stats{Connected: true, Path: "direct", Remote: "192.0.2.9:4000", Packets: 3}
}

func (s *fakeSession) Close() error {
	s.once.Do(func() { close(s.done); close(s.listener.closed) })
	return nil
}

type fakeListener struct{ closed chan struct{} }

func (l fakeListener) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l fakeListener) Close() error              { return nil }
func (l fakeListener) Addr() net.Addr            { return &net.TCPAddr{} }

// h264Track has the parameter sets of a 1280x720 picture.
func h264Track() codecs.Track { return codecs.Track{Codec: codecs.H264, ClockRate: 90_000} }

func newCamera(t *testing.T, id string, tracks ...codecs.Track) *camera.Camera {
	t.Helper()
	c, err := camera.New(camera.Options{ID: id, Name: "Camera " + id, Main: idleSource{}})
	if err != nil {
		t.Fatal(err)
	}
	c.Hub(0).SetTracks(tracks)
	return c
}

func newIdentity(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// newTestAgent returns an agent that is open and not running, over a fake
// publisher.
func newTestAgent(t *testing.T, change func(*Options)) (*Agent, *fakePublisher) {
	t.Helper()
	o := Options{
		Identity: newIdentity(t), Open: true,
		Cameras: []*camera.Camera{newCamera(t, "front", h264Track()), newCamera(t, "hevc", codecs.Track{Codec: codecs.H265, ClockRate: 90_000}), newCamera(t, "off")},
	}
	if change != nil {
		change(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	fake := &fakePublisher{}
	var p publisher = fake
	a.publisher.Store(&p)
	t.Cleanup(func() {
		a.shutdown(context.Background())
		a.watching.Wait()
		a.sessions.wait()
	})
	return a, fake
}

// request makes a request to the own listener as a program on this machine.
func request(method, path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8788"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5000"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// errorCode returns the code of an API error.
func errorCode(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	decode(t, w, &e)
	if e.Error.Message == "" {
		t.Error("the error has no sentence")
	}
	return e.Error.Code
}
