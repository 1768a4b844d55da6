package server

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

func TestServer_PassesMessagesOnInOrder(t *testing.T) {
	s := start(t, Options{})
	a, aID := s.peer()
	b, bID := s.peer()
	for _, p := range []string{"1.1.1", "2.2.2", "3.3.3"} {
		a.send(&signaling.Send{To: bID.PeerID(), Payload: p})
	}
	for _, p := range []string{"1.1.1", "2.2.2", "3.3.3"} {
		got := next[*signaling.Delivery](b)
		if diff := cmp.Diff(&signaling.Delivery{Type: "message", From: aID.PeerID(), Payload: p}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestServer_UnknownAndOfflineLookTheSame(t *testing.T) {
	s := start(t, Options{})
	a, _ := s.peer()
	gone, goneID := s.peer()
	if err := gone.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	s.counted("registered_peers", 1)
	var answers []signaling.ServerError
	for _, to := range []identity.PeerID{newID(t).PeerID(), goneID.PeerID()} {
		a.send(&signaling.Send{To: to, Ref: 7, Payload: "a.b.c"})
		answers = append(answers, *next[*signaling.ServerError](a))
	}
	if diff := cmp.Diff(answers[0], answers[1]); diff != "" || answers[0].Code != signaling.CodeUnreachable || answers[0].Ref != 7 {
		t.Errorf("%+v\n%s", answers[0], diff)
	}
}

func TestServer_ALostPeerGetsItsMessagesWhenItResumes(t *testing.T) {
	s := start(t, Options{})
	a, _ := s.peer()
	bID := newID(t)
	b := s.dial()
	token := b.register(bID, "").Resume
	_ = b.ws.CloseNow() // no farewell
	s.counted("registered_peers", 1)
	for _, p := range []string{"1.1.1", "2.2.2"} {
		a.send(&signaling.Send{To: bID.PeerID(), Ref: 1, Ack: true, Payload: p})
		next[*signaling.Sent](a)
	}
	s.counted("messages_held_total", 2)
	again := s.dial()
	if r := again.register(bID, token); !r.Resumed || r.Resume == token {
		t.Errorf("registered as %+v", r)
	}
	for _, p := range []string{"1.1.1", "2.2.2"} {
		if m := next[*signaling.Delivery](again); m.Payload != p {
			t.Errorf("got %+v", m)
		}
	}
	s.counted("resumed_total", 1)
	_ = again.ws.CloseNow()
	s.counted("registered_peers", 1)
	third := s.dial()
	if r := third.register(bID, token); r.Resumed {
		t.Error("an old token resumes")
	}
}

func TestServer_HoldsABoundedAmount(t *testing.T) {
	s := start(t, Options{HoldMessages: 2, HoldFor: time.Hour})
	a, _ := s.peer()
	b, bID := s.peer()
	_ = b.ws.CloseNow()
	s.counted("registered_peers", 1)
	for range 2 {
		a.send(&signaling.Send{To: bID.PeerID(), Ref: 1, Ack: true, Payload: "a.b.c"})
		next[*signaling.Sent](a)
	}
	a.send(&signaling.Send{To: bID.PeerID(), Ref: 3, Ack: true, Payload: "a.b.c"})
	if e := next[*signaling.ServerError](a); e.Code != signaling.CodeServerBusy || e.Ref != 3 {
		t.Errorf("got %+v", e)
	}
}

func TestServer_HeldMessagesThatNobodyFetchesAreReported(t *testing.T) {
	s := start(t, Options{HoldFor: time.Millisecond})
	a, _ := s.peer()
	b, bID := s.peer()
	_ = b.ws.CloseNow()
	s.counted("registered_peers", 1)
	a.send(&signaling.Send{To: bID.PeerID(), Ref: 9, Payload: "a.b.c"})
	// Held, or already forgotten: the sender hears the same in the end.
	if e := next[*signaling.ServerError](a); e.Code != signaling.CodeUnreachable || e.Ref != 9 {
		t.Errorf("got %+v", e)
	}
}

func TestServer_OnlyAProofDisplaces(t *testing.T) {
	s := start(t, Options{})
	a, _ := s.peer()
	first, id := s.peer()
	second := s.dial()
	if r := second.register(id, ""); r.Resumed {
		t.Error("resumed without a token")
	}
	first.wantEnd(signaling.CodeDisplaced, statusDisplaced)
	a.send(&signaling.Send{To: id.PeerID(), Payload: "a.b.c"})
	if m := next[*signaling.Delivery](second); m.Payload != "a.b.c" {
		t.Errorf("got %+v", m)
	}
	s.counted("registered_peers", 2)
	s.counted("connections", 2)
}

func TestServer_ClientsThatAreGoneAreNoticed(t *testing.T) {
	inVirtualTime(t, Options{PingInterval: time.Second, PingTimeout: time.Second, CloseTimeout: time.Second}, func(_ *testing.T, s *site) {
		s.peer() // reads nothing, so it answers no ping
		s.counted("registered_peers", 0)
		s.counted("connections", 0)
	})
}

func TestServer_CloseSaysGoodbyeAndRefusesNewOnes(t *testing.T) {
	s := start(t, Options{})
	a, _ := s.peer()
	unregistered := s.dial()
	next[*signaling.Challenge](unregistered)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, r := range []*raw{a, unregistered} {
		wg.Go(func() { r.wantEnd("", websocket.StatusGoingAway) })
	}
	wg.Wait()
	if got := dialOnce(s, nil, signaling.Subprotocol); got.status != http.StatusServiceUnavailable {
		t.Errorf("a WebSocket: %d", got.status)
	}
	if got := s.request("GET", "/healthz", nil); got.status != http.StatusServiceUnavailable {
		t.Errorf("healthz: %d", got.status)
	}
}

func TestServer_ChecksHostOnEveryRequest(t *testing.T) {
	named := start(t, Options{AllowedHosts: []string{"cam.example.org", "other.example.org:8443"}})
	both := start(t, Options{AllowedHosts: []string{"cam.local"}, AllowLocal: true})
	open := start(t, Options{})
	port := open.host()[strings.LastIndex(open.host(), ":"):]
	tests := []struct {
		site *site
		host string
		want int
	}{
		{named, "cam.example.org", 200}, {named, "CAM.example.org:443", 200}, {named, "cam.example.org.:8080", 200}, {named, "other.example.org:8443", 200},
		{named, "other.example.org", 421}, {named, "evil.example.org", 421}, {named, named.host(), 421}, {named, "localhost", 421},
		{open, "localhost" + port, 200}, {open, "127.0.0.1", 200}, {open, "[::1]" + port, 200}, {open, "cam.localhost:1", 200},
		{open, "rebound.example.org" + port, 421}, {open, "192.0.2.1" + port, 421}, {open, "localhost.evil.example.org", 421},
		{open, strings.Repeat("a", 300) + ".localhost", 421},
		{both, "cam.local:1", 200}, {both, both.host(), 200}, {both, "localhost", 200}, {both, "rebound.example.org", 421}, {both, "192.0.2.1", 421},
	}
	for _, tt := range tests {
		for _, path := range []string{"/healthz", "/metrics", "/", signaling.Path} {
			got := tt.site.request("GET", path, func(r *http.Request) { r.Host = tt.host })
			if (got.status == 421) != (tt.want == 421) {
				t.Errorf("%s with Host %.40q: %d %s", path, tt.host, got.status, got.body)
			}
		}
	}
	if got := dialOnce(named, http.Header{"Host": {"evil.example.org"}}, signaling.Subprotocol); got.status != 421 {
		t.Errorf("a WebSocket for another host: %d", got.status)
	}
	if got := named.metric("refused_total", refusedHost); got != 17 {
		t.Errorf("counted %v", got)
	}
}

func TestServer_TheProofIsForTheHostOfTheConnection(t *testing.T) {
	s := start(t, Options{AllowedHosts: []string{"a.example.org", "b.example.org"}})
	for host, ok := range map[string]bool{"b.example.org": true, "a.example.org": false} {
		o := &websocket.DialOptions{Subprotocols: []string{signaling.Subprotocol}, Host: "b.example.org:443", HTTPClient: s.http.Client()}
		ws, _, err := websocket.Dial(t.Context(), s.http.URL+signaling.Path, o) //nolint:bodyclose // the library says that it need not be
		if err != nil {
			t.Fatal(err)
		}
		r := &raw{t: t, ws: ws, host: host}
		if ok {
			r.register(newID(t), "")
			_ = ws.CloseNow()
			continue
		}
		c := next[*signaling.Challenge](r)
		jws, err := signaling.SignRegistration(newID(t), c.Nonce, host, "")
		if err != nil {
			t.Fatal(err)
		}
		r.send(&signaling.Register{JWS: jws, Keys: "a.b.c"})
		r.wantEnd(signaling.CodeUnauthenticated, websocket.StatusPolicyViolation)
	}
}

func TestServer_ChecksOriginAndDeniesCORS(t *testing.T) {
	s := start(t, Options{AllowedOrigins: []string{"https://app.example.org"}})
	own := s.http.URL
	for origin, ok := range map[string]bool{
		own: true, "https://app.example.org": true, "https://APP.example.org:443": true,
		"http://app.example.org": false, "https://evil.example.org": false, "null": false, "": false, "file://": false,
		"https://app.example.org.evil.example": false, own + "0": false, own + "/path": false, "https://user@app.example.org": false,
	} {
		want := http.StatusForbidden
		if ok {
			want = http.StatusSwitchingProtocols
		}
		if got := dialOnce(s, http.Header{"Origin": {origin}}, signaling.Subprotocol); got.status != want {
			t.Errorf("a WebSocket from %q: %d", origin, got.status)
		}
		for _, method := range []string{"GET", "OPTIONS", "POST"} {
			got := s.request(method, "/", func(r *http.Request) {
				r.Header.Set("Origin", origin)
				r.Header.Set("Access-Control-Request-Method", "POST")
			})
			if (got.status == http.StatusForbidden) == ok {
				t.Errorf("%s from %q: %d", method, origin, got.status)
			}
			for name := range got.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s is sent", name)
				}
			}
		}
	}
	if got := s.request("GET", "/healthz", func(r *http.Request) { r.Header["Origin"] = []string{own, "https://evil.example.org"} }); got.status != 403 {
		t.Errorf("two origins: %d", got.status)
	}
}

func TestServer_RefusesWhatIsNoWebSocketOfOurs(t *testing.T) {
	s := start(t, Options{})
	if got := s.request("GET", signaling.Path, nil); got.status != http.StatusUpgradeRequired || got.header.Get("Upgrade") != "websocket" {
		t.Errorf("a plain GET: %d", got.status)
	}
	if got := s.request("POST", signaling.Path, nil); got.status != http.StatusMethodNotAllowed {
		t.Errorf("a POST: %d", got.status)
	}
	for _, protocols := range [][]string{nil, {"sightline.signal.v0"}, {"chat"}} {
		if got := dialOnce(s, nil, protocols...); got.status != http.StatusBadRequest {
			t.Errorf("subprotocols %v: %d", protocols, got.status)
		}
	}
	s.counted("refused_total", 4, refusedProtocol)
}

func TestServer_ServesHealthMetricsAndThePage(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "somebody_elses"}))
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("secret")
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		_, _ = w.Write([]byte("the page"))
	})
	s := start(t, Options{Page: page, Registry: registry})
	got := s.request("GET", "/healthz", nil)
	if got.status != 200 || got.body != `{"status":"ok"}` {
		t.Errorf("healthz: %d %s", got.status, got.body)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %q", name, value)
		}
	}
	metrics := s.request("GET", "/metrics", nil).body
	for _, want := range []string{"somebody_elses 0", "sightline_signaling_connections 0", `sightline_signaling_errors_total{code="displaced"} 0`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	got = s.request("GET", "/anything", nil)
	if got.status != 200 || got.body != "the page" || got.header.Get("Content-Security-Policy") != "default-src 'self'" {
		t.Errorf("page: %+v", got)
	}
	if got = s.request("GET", "/panic", nil); got.status != 500 || strings.Contains(got.body, "secret") {
		t.Errorf("panic: %+v", got)
	}
	if _, err := New(Options{Registry: registry}); err == nil {
		t.Error("two servers in one registry")
	}
}

func TestServer_ShowsMetricsToLoopbackOnly(t *testing.T) {
	for _, tt := range []struct {
		options Options
		remote  string
		xff     string
		want    int
	}{
		{Options{}, "192.0.2.1:1234", "", 404}, {Options{PublicMetrics: true}, "192.0.2.1:1234", "", 200}, {Options{}, "127.0.0.1:1234", "", 200},
		{Options{TrustedProxies: []string{"127.0.0.1"}}, "127.0.0.1:1234", "192.0.2.1", 404},
		{Options{}, "192.0.2.1:1234", "127.0.0.1", 404}, {Options{}, "127.0.0.1:1234", "127.0.0.1", 404},
	} {
		s, err := New(tt.options)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/metrics", nil)
		r.RemoteAddr = tt.remote
		if tt.xff != "" {
			r.Header.Set("X-Forwarded-For", tt.xff)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("from %s for %s: %d, want %d", tt.remote, tt.xff, w.Code, tt.want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNew_RefusesBrokenOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"wildcard host":   {AllowedHosts: []string{"*.example.org"}},
		"URL as host":     {AllowedHosts: []string{"https://example.org"}},
		"empty host":      {AllowedHosts: []string{""}},
		"host as origin":  {AllowedOrigins: []string{"example.org"}},
		"any origin":      {AllowedOrigins: []string{"*"}},
		"proxy by a name": {TrustedProxies: []string{"proxy"}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestServer_LogsNoPayloadNoQueryNoToken(t *testing.T) {
	log := &buffer{}
	s := start(t, Options{Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	a, aID := s.peer()
	bID := newID(t)
	b := s.dial()
	token := b.register(bID, "").Resume
	a.send(&signaling.Send{To: bID.PeerID(), Payload: "cGF5bG9hZA.cGF5bG9hZA.cGF5bG9hZA"})
	next[*signaling.Delivery](b)
	s.request("GET", "/x?secret=hunter2", nil)
	s.request("GET", "/"+strings.Repeat("y", 4000), nil)
	bad := s.dial()
	bad.send(&signaling.Register{JWS: "cGF5bG9hZA.cGF5bG9hZA.cGF5bG9hZA", Keys: "a.b.c"})
	bad.wantEnd(signaling.CodeUnauthenticated, websocket.StatusPolicyViolation)
	_ = a.ws.CloseNow()
	_ = b.ws.CloseNow()
	s.counted("connections", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := log.String()
	for _, secret := range []string{"cGF5bG9hZA", "hunter2", string(token), string(aID.PeerID())} {
		if strings.Contains(got, secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
	for line := range strings.Lines(got) {
		if len(line) > 1000 || !json.Valid([]byte(line)) {
			t.Errorf("a long or broken log line: %.100s", line)
		}
	}
	if !strings.Contains(got, "signaling connection ended") || !strings.Contains(got, "http request") {
		t.Errorf("the log lacks what it should have: %s", got)
	}
}

func TestAddresses_CountAHouseholdAsOneAndForgetQuietOnes(t *testing.T) {
	o := Options{MaxConnectionsPerAddress: 1}
	o.setDefaults()
	a := newAddresses(&o)
	now := time.Unix(1000, 0)
	first, refusal := a.enter(now, netip.MustParseAddr("2001:db8::1"))
	if refusal != "" {
		t.Fatal(refusal)
	}
	if _, refusal := a.enter(now, netip.MustParseAddr("2001:db8::ffff:1%eth0")); refusal != refusedAddress {
		t.Errorf("the same /64: %q", refusal)
	}
	for _, other := range []string{"2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.2"} {
		if _, refusal := a.enter(now, netip.MustParseAddr(other)); refusal != "" {
			t.Errorf("%s: %q", other, refusal)
		}
	}
	if _, refusal := a.enter(now, netip.MustParseAddr("192.0.2.2")); refusal != refusedAddress {
		t.Errorf("the same IPv4 address: %q", refusal)
	}
	a.leave(now, first)
	a.sweep(now.Add(addressMemory))
	if len(a.table) != 4 {
		t.Errorf("%d addresses after a minute", len(a.table))
	}
	a.sweep(now.Add(addressMemory + 1))
	if len(a.table) != 3 || a.total != 3 {
		t.Errorf("%d addresses after more than a minute, %d connections", len(a.table), a.total)
	}
}
