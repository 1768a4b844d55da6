package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/camera/testsrc"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/tlsfile"
	"github.com/sightline-cam/sightline/signaling/server"
	"github.com/sightline-cam/sightline/viewer"
)

// patience bounds every wait; a busy machine may need some of it.
const patience = 2 * time.Minute

// running is an agent with a signaling server, over loopback.
type running struct {
	agent  *agent.Agent
	base   string // http://host:port
	signal *server.Server
	stop   func() error // ends the agent and returns what Run returned
}

func start(t *testing.T, change func(*agent.Options)) *running {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	src, err := testsrc.New(testsrc.Options{Picture: testpattern.Options{Width: 640, Height: 360, FPS: 10}})
	if err != nil {
		t.Fatal(err)
	}
	cam, err := camera.New(camera.Options{ID: "test", Name: "Test picture", Main: src, TestPattern: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{base: "http://" + l.Addr().String()}
	if r.signal, err = server.New(server.Options{}); err != nil {
		t.Fatal(err)
	}
	online := make(chan struct{}, 16)
	o := agent.Options{
		Identity: id, Cameras: []*camera.Camera{cam}, Open: true, Listener: l, Fallback: r.signal.Handler(),
		Signal: "ws://" + l.Addr().String(), OnSignal: func(up bool) {
			if up {
				online <- struct{}{}
			}
		},
	}
	if change != nil {
		change(&o)
	}
	if r.agent, err = agent.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.agent.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the agent ended with %v", err)
		}
		_ = r.signal.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	select {
	case <-online:
	case <-time.After(patience):
		t.Fatal("the agent did not register")
	}
	return r
}

func (r *running) dial(t *testing.T, id *identity.Identity, cameras ...string) (*viewer.Session, error) {
	t.Helper()
	s, err := viewer.Dial(t.Context(), viewer.Options{
		SignalURL: strings.Replace(r.base, "http", "ws", 1), Identity: id, Peer: r.agent.PeerID(),
		Cameras: cameras, NoAudio: true, Loopback: true, Timeout: patience,
	})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func newViewer(t *testing.T) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func wantFrames(t *testing.T, s *viewer.Session, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range n {
		if _, err := s.ReadFrame(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAgent_ViewerWatchesAndAsks(t *testing.T) {
	r := start(t, nil)
	s, err := r.dial(t, newViewer(t), "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f, err := s.ReadFrame(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if f.Camera != "test" || !f.Unit.Key {
		t.Errorf("first frame %q, key %v", f.Camera, f.Unit.Key)
	}
	cameras, err := s.Cameras(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(cameras) != 1 || cameras[0].State != "live" || cameras[0].Width != 640 || cameras[0].Viewers != 1 {
		t.Errorf("cameras %+v", cameras)
	}
	body := get(t, s.HTTP(), viewer.BaseURL+"/v1/session", http.StatusOK)
	if !strings.Contains(body, `"path":"direct"`) || !strings.Contains(body, `"connected":true`) {
		t.Errorf("session %s", body)
	}
	get(t, s.HTTP(), viewer.BaseURL+"/whep/test", http.StatusNotFound)
	get(t, http.DefaultClient, r.base+"/v1/session", http.StatusNotFound)

	_ = r.signal.Close() // a live session needs no signaling
	wantFrames(t, s, 10)
}

func get(t *testing.T, c *http.Client, url string, status int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s: %s %v, want %d: %s", url, res.Status, err, status, body)
	}
	return string(body)
}

func wantRejected(t *testing.T, err error, code string) {
	t.Helper()
	rejected, ok := errors.AsType[*viewer.RejectedError](err)
	if !ok || string(rejected.Code) != code {
		t.Fatalf("got %v, want a rejection with %s", err, code)
	}
}

func TestAgent_ListDecidesWhoWatchesAndForHowLong(t *testing.T) {
	friend, stranger := newViewer(t), newViewer(t)
	file := filepath.Join(t.TempDir(), "viewers.txt")
	put := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(string(friend.PeerID()) + "\n")
	r := start(t, func(o *agent.Options) { o.Open, o.AllowFile = false, file })
	_, err := r.dial(t, stranger)
	wantRejected(t, err, "forbidden")
	s, err := r.dial(t, friend)
	if err != nil {
		t.Fatal(err)
	}
	wantFrames(t, s, 2)
	get(t, http.DefaultClient, r.base+"/v1/cameras", http.StatusUnauthorized)

	put("# nobody\n")
	r.agent.ReloadAccess()
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("a viewer taken off the list goes on watching")
	}
	_, err = r.dial(t, friend)
	wantRejected(t, err, "forbidden")
}

func TestAgent_UnknownCameraIsNamed(t *testing.T) {
	r := start(t, nil)
	_, err := r.dial(t, newViewer(t), "garage")
	wantRejected(t, err, "no_camera")
	if !strings.Contains(err.Error(), "garage") {
		t.Error(err)
	}
}

func TestAgent_WHEPPlayerWatchesUntilItLeaves(t *testing.T) {
	r := start(t, nil)
	frames := peer.NewUnitReader()
	var session string
	c, err := peer.Dial(t.Context(), peer.DialOptions{
		Loopback: true, Video: true, NoData: true, OnTrack: frames.AddTrack,
		Signal: peer.AnswerOnly(func(ctx context.Context, offer string) (string, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+"/whep/test", strings.NewReader(offer))
			if err != nil {
				return "", err
			}
			req.Header.Set("Content-Type", "application/sdp")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return "", err
			}
			defer res.Body.Close()
			session = res.Header.Get("Location")
			body, err := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusCreated {
				err = errors.New(res.Status + string(body))
			}
			return string(body), err
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); frames.End() })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, u, err := frames.Read(ctx); err != nil || !u.Key {
		t.Fatalf("first frame %v: %v", u, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, r.base+session, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	select {
	case <-c.Done():
	case <-ctx.Done():
		t.Fatal("the player's connection outlived its session")
	}
}

func TestAgent_EndsAndTellsItsViewers(t *testing.T) {
	r := start(t, nil)
	s, err := r.dial(t, newViewer(t))
	if err != nil {
		t.Fatal(err)
	}
	wantFrames(t, s, 1)
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the agent does not end while somebody watches")
	}
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the viewer was not told")
	}
}

func TestAgent_OwnListenerKnowsTLS(t *testing.T) {
	source, err := tlsfile.OpenOwn(tlsfile.OwnOptions{File: filepath.Join(t.TempDir(), "tls.pem")})
	if err != nil {
		t.Fatal(err)
	}
	client := tlsfile.Client(source)
	r := start(t, func(o *agent.Options) {
		o.Listener = tlsfile.NewListener(o.Listener, tlsfile.Config(source))
		o.Signal, o.SignalHTTP = strings.Replace(o.Signal, "ws:", "wss:", 1), client
	})
	t.Cleanup(client.CloseIdleConnections)
	base := strings.Replace(r.base, "http:", "https:", 1)
	for origin, want := range map[string]int{base: 200, r.base: 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/time", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a page of %s gets %d, want %d", origin, res.StatusCode, want)
		}
	}
}
