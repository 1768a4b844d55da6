package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/loopback"
	"github.com/sightline-cam/sightline/signaling"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = time.Minute

// site is a running server.
type site struct {
	*Server
	t    testing.TB
	http *httptest.Server
}

func start(t testing.TB, o Options) *site {
	t.Helper()
	return serve(t, patient(o), func(h *httptest.Server) { h.Start() })
}

// patient makes that only whoever really says nothing runs out of time, not whoever has
// to wait for a busy machine.
func patient(o Options) Options {
	for _, d := range []*time.Duration{&o.RegisterTimeout, &o.PingInterval, &o.PingTimeout, &o.WriteTimeout, &o.HoldFor} {
		setDefault(d, 10*patience)
	}
	setDefault(&o.CloseTimeout, patience)
	return o
}

// inVirtualTime runs f with a server for which no time passes while anybody does
// anything, so that what happens in time is the same every run.
func inVirtualTime(t *testing.T, o Options, f func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, serve(t, o, func(h *httptest.Server) {
			l := loopback.Listen(8080)
			_ = h.Listener.Close() // a real one
			h.Listener = l
			h.Start()
			h.Client().Transport.(*http.Transport).DialContext = l.DialContext
		}))
	})
}

func serve(t testing.TB, o Options, begin func(*httptest.Server)) *site {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(s.Handler())
	begin(h)
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{Server: s, t: t, http: h}
}

func (s *site) host() string { return strings.TrimPrefix(s.http.URL, "http://") }

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   string
}

// request makes one request, with changes.
func (s *site) request(method, path string, change func(*http.Request)) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := s.http.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// raw is a client without manners.
type raw struct {
	t    testing.TB
	ws   *websocket.Conn
	host string
}

// dial connects without registering.
func (s *site) dial() *raw {
	s.t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{signaling.Subprotocol}, HTTPClient: s.http.Client()}
	ws, _, err := websocket.Dial(s.t.Context(), s.http.URL+signaling.Path, o) //nolint:bodyclose // the library says that it need not be
	if err != nil {
		s.t.Fatal(err)
	}
	ws.SetReadLimit(signaling.MaxFrame)
	s.t.Cleanup(func() { _ = ws.CloseNow() })
	return &raw{t: s.t, ws: ws, host: s.host()}
}

func (r *raw) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.t.Cleanup(cancel)
	return ctx
}

func (r *raw) write(data string) {
	r.t.Helper()
	if err := r.ws.Write(r.ctx(), websocket.MessageText, []byte(data)); err != nil {
		r.t.Fatal("write:", err)
	}
}

func (r *raw) send(f signaling.Frame) {
	r.t.Helper()
	data, err := signaling.EncodeFrame(f)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(string(data))
}

func (r *raw) read() (signaling.Frame, error) {
	_, data, err := r.ws.Read(r.ctx())
	if err != nil {
		return nil, err
	}
	return signaling.DecodeFrame(data)
}

func next[T signaling.Frame](r *raw) T {
	r.t.Helper()
	f, err := r.read()
	if err != nil {
		r.t.Fatal("read:", err)
	}
	want, ok := f.(T)
	if !ok {
		r.t.Fatalf("got %+v", f)
	}
	return want
}

// wantEnd expects an error frame, then a close with status, whatever comes
// before them.
func (r *raw) wantEnd(code signaling.ErrorCode, status websocket.StatusCode) {
	r.t.Helper()
	var last signaling.ErrorCode
	for {
		f, err := r.read()
		if err != nil {
			if got := websocket.CloseStatus(err); got != status || last != code {
				r.t.Errorf("ended with error %q and status %d (%v), want %q and %d", last, got, err, code, status)
			}
			return
		}
		if e, ok := f.(*signaling.ServerError); ok {
			last = e.Code
		}
	}
}

// register answers the challenge as id.
func (r *raw) register(id *identity.Identity, resume signaling.Token) *signaling.Registered {
	r.t.Helper()
	c := next[*signaling.Challenge](r)
	jws, err := signaling.SignRegistration(id, c.Nonce, r.host, resume)
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(&signaling.Register{JWS: jws, Keys: id.KeyStatement()})
	return next[*signaling.Registered](r)
}

// peer connects and registers a new identity.
func (s *site) peer() (*raw, *identity.Identity) {
	s.t.Helper()
	id := newID(s.t)
	r := s.dial()
	r.register(id, "")
	return r, id
}

func newID(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// counted waits until a metric has a value.
func (s *site) counted(name string, want float64, label ...string) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		got := s.metric(name, label...)
		if got == want {
			return
		}
		select {
		case <-deadline.C:
			s.t.Fatalf("%s %v = %v, want %v", name, label, got, want)
		case <-poll.C:
		}
	}
}

// metric reads one of the server's metrics by its name without the prefix.
func (s *site) metric(name string, label ...string) float64 {
	s.t.Helper()
	families, err := s.Registry().Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "sightline_signaling_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(label) == 0 || m.GetLabel()[0].GetValue() == label[0] {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	s.t.Fatal("no metric", name, label)
	return 0
}

// dialOnce tries to open a WebSocket and returns the status of the answer.
func dialOnce(s *site, header http.Header, protocols ...string) answer {
	s.t.Helper()
	o := &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: header, HTTPClient: s.http.Client(), Host: header.Get("Host")}
	ws, resp, err := websocket.Dial(s.t.Context(), s.http.URL+signaling.Path, o) //nolint:bodyclose // the library says that it need not be
	if err == nil {
		_ = ws.CloseNow()
	}
	if resp == nil {
		s.t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header}
}
