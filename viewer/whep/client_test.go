package whep

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
)

// patience bounds everything that happens over real sockets.
const patience = time.Minute

// still is a camera that sends one key frame over and over.
type still struct{}

func (still) Renditions() int { return 1 }
func (still) Track(int) (codecs.Track, bool) {
	return codecs.Track{Codec: codecs.H264, ClockRate: 90000}, true
}
func (still) RequestKeyFrame(int) {}
func (still) Open(int) peer.Feed {
	f := &stillFeed{wake: make(chan struct{}, 1)}
	f.wake <- struct{}{}
	return f
}

type stillFeed struct {
	wake chan struct{}

	mu    sync.Mutex
	next  int
	timer *time.Timer
	over  bool
}

func (f *stillFeed) Wake() <-chan struct{} { return f.wake }
func (f *stillFeed) Next() (*rtppack.Frame, int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || f.timer != nil {
		return nil, 0, !f.over
	}
	f.timer = time.AfterFunc(20*time.Millisecond, f.again)
	f.next++
	return rtppack.NewFrame(codecs.H264, &codecs.Unit{
		PTS: int64(f.next) * 1800, Arrived: time.Now(), Key: true,
		Payload: [][]byte{{0x67, 0x42, 0xe0, 0x1f, 0x96}, {0x68, 0xce, 0x3c, 0x80}, {0x65, 0x88, 0x84}},
	}), 0, true
}

func (f *stillFeed) again() {
	f.mu.Lock()
	f.timer = nil
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
func (f *stillFeed) Behind() int                         { return 0 }
func (f *stillFeed) SkipToKey() int                      { return 0 }
func (f *stillFeed) SkipToFreshKey(_ time.Duration) bool { return false }
func (f *stillFeed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	if f.timer != nil {
		f.timer.Stop()
	}
}

// whepServer is a WHEP server as small as can be.
type whepServer struct {
	t        *testing.T
	url      string
	endpoint *peer.Endpoint
	location string
	deleted  chan string // Authorization of each DELETE

	mu      sync.Mutex
	session *peer.Session
}

func newWHEPServer(t *testing.T) *whepServer {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	s := &whepServer{t: t, location: "../session/1", deleted: make(chan string, 4)}
	if s.endpoint, err = peer.Listen(peer.EndpointOptions{Certificate: id.Certificate(), Addr: "127.0.0.1:0", Loopback: true}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whep/cam", s.offer)
	mux.HandleFunc("DELETE /session/1", func(_ http.ResponseWriter, r *http.Request) { s.deleted <- r.Header.Get("Authorization") })
	web := httptest.NewServer(mux)
	s.url = web.URL + "/whep/cam"
	t.Cleanup(func() {
		s.mu.Lock()
		session := s.session
		s.mu.Unlock()
		if session != nil {
			_ = session.Close()
		}
		if err := s.endpoint.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return s
}

func (s *whepServer) offer(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Header.Get("Content-Type") != "application/sdp" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	if strings.Contains(string(body), "m=application") {
		s.t.Error("the offer has a data section")
	}
	session, answer, err := s.endpoint.Answer(r.Context(), peer.Offer{SDP: string(body), Pick: func(_, kind string) peer.Stream {
		if kind == "video" {
			return still{}
		}
		return nil
	}})
	if err != nil {
		s.t.Error(err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	s.session = session
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", s.location)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (s *whepServer) dial(t *testing.T, token string) (*Session, error) {
	t.Helper()
	return Dial(t.Context(), Options{URL: s.url, Token: token, Loopback: true, Timeout: patience, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
}

func (s *whepServer) expectDelete(t *testing.T) {
	t.Helper()
	select {
	case auth := <-s.deleted:
		if auth != "Bearer secret" {
			t.Errorf("DELETE came with %q", auth)
		}
	case <-time.After(patience):
		t.Error("the session was not deleted")
	}
}

func TestDial_WatchesUntilClose(t *testing.T) {
	server := newWHEPServer(t)
	s, err := server.dial(t, "secret")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 5 {
		u, codec, err := s.ReadUnit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !u.Key || codec != codecs.H264 {
			t.Errorf("a unit of %s, key %v", codec, u.Key)
		}
	}
	if !s.Stats().Direct() {
		t.Errorf("stats %+v", s.Stats())
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	server.expectDelete(t)
	if _, _, err := s.ReadUnit(ctx); !errors.Is(err, io.EOF) || s.Err() != nil {
		t.Errorf("after Close: %v, %v", err, s.Err())
	}
}

func TestDial_WrongTokenSaysWhatToDo(t *testing.T) {
	server := newWHEPServer(t)
	_, err := server.dial(t, "guess")
	var status *StatusError
	if !errors.As(err, &status) || status.Status != http.StatusUnauthorized || !strings.Contains(err.Error(), "check the token") {
		t.Errorf("dial: %v", err)
	}
	if strings.Contains(err.Error(), "guess") {
		t.Errorf("the token is in the error: %v", err)
	}
}

func TestDial_TokenStaysWithTheServer(t *testing.T) {
	server := newWHEPServer(t)
	server.location = "http://elsewhere.example/session/1"
	if _, err := server.dial(t, "secret"); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Errorf("dial: %v", err)
	}
}

func TestDial_FailedAttemptIsDeleted(t *testing.T) {
	var deletes sync.WaitGroup
	deletes.Add(1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			deletes.Done()
			return
		}
		w.Header().Set("Location", "/session")
		w.Header().Set("Content-Type", "application/sdp")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "not an SDP")
	}))
	defer web.Close()
	_, err := Dial(t.Context(), Options{URL: web.URL, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err == nil {
		t.Error("an answer that is no SDP was taken")
	}
	deletes.Wait()
}

func TestDial_ErrorsHideTheURLsQuery(t *testing.T) {
	_, err := Dial(t.Context(), Options{URL: "http://127.0.0.1:1/whep/cam?key=hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("dial: %v", err)
	}
	for _, bad := range []string{"", "rtsp://camera/", "http://", "://hunter2", "/whep/cam"} {
		if _, err := Dial(t.Context(), Options{URL: bad}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("dial %q: %v", bad, err)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/session/1", "session/1", "../x", "//evil.example/x", "http://evil.example/", "https://camera.example/s", "?a=b", "", "http://u:p@camera.example/", "http://camera.example:80/x#y", "%zz"} {
		f.Add(s)
	}
	base, err := url.Parse("http://camera.example/whep/cam")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, location string) {
		got, err := resolve(base, location)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil || u.Fragment != "" {
			t.Errorf("%q leads to %q (%v)", location, got, err)
		}
	})
}
