package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

func decode(t *testing.T, w *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%v in %q", err, w.Body)
	}
}

// overSession makes a request that came over a session's data channel.
func overSession(r *http.Request, s *session) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), sessionContextKey{}, s))
}

// newSession returns a session of a viewer with the access that it has now; of
// one whose access is gone, if it has none.
func newSession(t *testing.T, a *Agent, viewer identity.PeerID, grants ...string) *session {
	t.Helper()
	s := &session{
		key: sessionKey{viewer, signaling.NewToken(signaling.SessionSize)}, via: viaSignaling,
		media: newFakeSession(), limit: newLimiter(2), events: newLimiter(maxEventsPerSession), started: time.Now(),
	}
	p, err := a.gate.trust.Authorize(viewer, grants)
	if err != nil {
		p = &trust.Principal{Peer: viewer, Role: trust.RoleListed}
	}
	s.principal.Store(p)
	return s
}

func TestAPI_AuthorizationIsTheSameWhicheverWayARequestCame(t *testing.T) {
	friend, stranger := newIdentity(t).PeerID(), newIdentity(t).PeerID()
	file := filepath.Join(t.TempDir(), "viewers.txt")
	if err := os.WriteFile(file, []byte(friend.Grouped()+" phone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(*Options) {}
	list := func(o *Options) { o.Open, o.AllowFile = false, file }
	closed := func(o *Options) { o.Open = false }
	tests := []struct {
		name   string
		access func(*Options)
		viewer identity.PeerID // empty: the own listener
		status int
		code   string
	}{
		{"open, listener", open, "", 200, ""},
		{"open, anyone", open, stranger, 200, ""},
		{"list, listener", list, "", 401, "unauthorized"},
		{"list, friend", list, friend, 200, ""},
		{"list, stranger", list, stranger, 403, "forbidden"},
		{"nothing, listener", closed, "", 401, "unauthorized"},
		{"nothing, anyone", closed, friend, 403, "forbidden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := newTestAgent(t, tt.access)
			for _, path := range []string{"/v1/cameras", "/v1/time"} {
				h, r := a.handler(overListener), request("GET", path, "")
				if tt.viewer != "" {
					h, r = a.handler(overChannel), overSession(r, newSession(t, a, tt.viewer))
				}
				w := serve(h, r)
				if w.Code != tt.status {
					t.Errorf("%s: %d, want %d", path, w.Code, tt.status)
				}
				if tt.code != "" && errorCode(t, w) != tt.code {
					t.Errorf("%s: %s", path, w.Body)
				}
			}
		})
	}
}

func TestAPI_RefusesForeignHostsAndOrigins(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) { o.AllowedHosts = []string{"Cam.Example.org"} })
	h := a.handler(overListener)
	tests := []struct {
		name, host string
		header     []string
		status     int
	}{
		{"program", "127.0.0.1:8788", nil, 200},
		{"localhost", "localhost:8788", nil, 200},
		{"IPv6", "[::1]:8788", nil, 200},
		{"LAN address", "192.0.2.7:8788", nil, 200},
		{"allowed name", "cam.example.org.", nil, 200},
		{"rebound name", "evil.example:8788", nil, 421},
		{"no host", "", nil, 421},
		{"own page", "127.0.0.1:8788", []string{"Origin", "http://127.0.0.1:8788", "Sec-Fetch-Site", "same-origin"}, 200},
		{"other origin", "127.0.0.1:8788", []string{"Origin", "https://evil.example"}, 403},
		{"other port", "127.0.0.1:8788", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"other scheme", "127.0.0.1:8788", []string{"Origin", "https://127.0.0.1:8788"}, 403},
		{"null origin", "127.0.0.1:8788", []string{"Origin", "null"}, 403},
		{"two origins", "127.0.0.1:8788", []string{"Origin", "http://127.0.0.1:8788", "Origin", "http://127.0.0.1:8788"}, 403},
		{"cross-site without origin", "127.0.0.1:8788", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same site, other port", "127.0.0.1:8788", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"typed address", "127.0.0.1:8788", []string{"Sec-Fetch-Site", "none"}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/v1/cameras", "", tt.header...)
			r.Host = tt.host
			w := serve(h, r)
			if w.Code != tt.status {
				t.Errorf("got %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("CORS header %s", name)
				}
			}
		})
	}
}

func TestAPI_FallbackServesTheRestAndChecksTheHost(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) {
		o.Fallback = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	for path, want := range map[string]int{"/": 418, "/v1/signal": 418, "/v1/session": 418, "/v1/time": 200} {
		if w := serve(a.ownRoutes, request("GET", path, "")); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	r := request("GET", "/", "")
	r.Host = "evil.example"
	if w := serve(a.ownRoutes, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("foreign host: %d", w.Code)
	}
	if w := serve(a.handler(overChannel), overSession(request("GET", "/", ""), newSession(t, a, "x"))); w.Code != 404 {
		t.Errorf("over a channel: %d", w.Code)
	}
}

func TestAPI_OtherMethodsGetTheListOfThoseTaken(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	w := serve(a.ownRoutes, request("POST", "/v1/cameras", ""))
	if w.Code != 405 || w.Header().Get("Allow") != "GET" || errorCode(t, w) != "method_not_allowed" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestAPI_OneSessionsFloodIsRefusedAndHurtsNobodyElse(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	h := a.handler(overChannel)
	flooder, other := newSession(t, a, "flooder"), newSession(t, a, "other")
	for flooder.limit.take() { // as many requests as may be under way
		continue
	}
	w := serve(h, overSession(request("GET", "/v1/time", ""), flooder))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || errorCode(t, w) != "busy" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := serve(h, overSession(request("GET", "/v1/time", ""), other)); w.Code != 200 {
		t.Errorf("the other session got %d", w.Code)
	}
}

func TestAPI_RenegotiationChecksTheOffer(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	h := a.handler(overChannel)
	for body, want := range map[string]int{
		`{"sdp":"v=0","media":[{"mid":"0","camera":"front"}]}`:  200,
		`{"sdp":"v=0","media":[]}`:                              200,
		`{"sdp":"v=0","media":[{"mid":"0","camera":"nobody"}]}`: 404,
		`{"sdp":"v=0","media":[{"mid":"0","camera":"../x"}]}`:   400,
		`{"sdp":"bad","media":[]}`:                              400,
		`{"sdp":"v=0","media":[],"more":1}`:                     400,
		`{"sdp":`:                                               400,
		``:                                                      400,
		`{"sdp":"` + strings.Repeat("a", maxBodyBytes) + `","media":[]}`: 413,
	} {
		r := overSession(request("POST", "/v1/session/offer", body, "Content-Type", "application/json"), newSession(t, a, "v"))
		if w := serve(h, r); w.Code != want {
			t.Errorf("%.60s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
	r := overSession(request("POST", "/v1/session/offer", "{}", "Content-Type", "text/plain"), newSession(t, a, "v"))
	if w := serve(h, r); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain: %d", w.Code)
	}
}

func TestAPI_MetricsAreForThisMachine(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) { o.Open = false })
	r := request("GET", "/metrics", "")
	w := serve(a.ownRoutes, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `sightline_camera_live{camera="front",rendition="0"} 0`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r = request("GET", "/metrics", "")
	r.RemoteAddr = "192.0.2.9:1000"
	if w := serve(a.ownRoutes, r); w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}

func TestMetricsText_EscapesLabels(t *testing.T) {
	var out metricsText
	out.metric("m", "gauge", "help", sample{[]string{"a", "x\"y\\z\n", "b", "c"}, 1.5})
	want := "# HELP m help\n# TYPE m gauge\nm{a=\"x\\\"y\\\\z\\n\",b=\"c\"} 1.5\n"
	if out.buf.String() != want {
		t.Errorf("got %q", out.buf.String())
	}
}

func TestAccepts_FollowsQuality(t *testing.T) {
	for header, want := range map[string]bool{
		"application/sdp": true, "*/*": true, "application/*;q=0.1": true, "text/html, */*;q=0.8": true,
		"text/html": false, "application/sdp;q=0": false, "application/sdp;q=0, */*": false, "nonsense/": false,
	} {
		if got := accepts([]string{header}, typeSDP); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	if !accepts(nil, typeSDP) {
		t.Error("no header accepts everything")
	}
}
