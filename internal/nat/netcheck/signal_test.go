package netcheck

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestCheck_SaysWhatIsWrongWithTheSignalingService(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("it was asked for %s", r.URL.Path)
		}
	})
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	plain := httptest.NewServer(ok)
	t.Cleanup(func() { plain.Close() })
	secure := httptest.NewUnstartedServer(ok)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(func() { secure.Close() })
	elsewhere := httptest.NewServer(http.RedirectHandler("https://example.org", http.StatusFound))
	t.Cleanup(func() { elsewhere.Close() })
	other := httptest.NewServer(status(http.StatusMisdirectedRequest))
	t.Cleanup(func() { other.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deaf.Close() })
	for _, tt := range []struct{ url, problem string }{
		{plain.URL, ""},
		{strings.Replace(plain.URL, "http:", "ws:", 1) + "/v1/signal", ""},
		{secure.URL, "comes from nobody whom this device trusts"},
		{strings.Replace(plain.URL, "http:", "wss:", 1), "does not speak TLS"},
		{strings.Replace(secure.URL, "https:", "http:", 1), "no signaling service"},
		{elsewhere.URL, "no signaling service"},
		{other.URL, "--allowed-host 127.0.0.1"},
		{"ws://" + closed.Addr().String(), "refuses the connection"},
		{"ws://" + deaf.Addr().String(), "no answer"},
		{"ftp://127.0.0.1", "neither wss:// nor ws://"},
		{"wss://user:secret@127.0.0.1", "its address is not one"},
	} {
		t.Run(tt.url, func(t *testing.T) {
			t.Parallel()
			r := Check(t.Context(), Options{Signal: tt.url}).Signal
			if (r.Problem == "") != (tt.problem == "") || !strings.Contains(r.Problem, tt.problem) {
				t.Errorf("the problem is %q, not %q", r.Problem, tt.problem)
			}
			if strings.Contains(r.URL, "secret") {
				t.Errorf("it tells the password: %s", r.URL)
			}
			if tt.problem == "" && (!r.Reachable || r.Clock == nil || max(r.Clock.AheadMs, -r.Clock.AheadMs) > r.Clock.PrecisionMs+1000) {
				t.Errorf("it says %+v, clock %+v", r, r.Clock)
			}
		})
	}
}

func TestExplainSignal_ClocksAreSetWhenItMatters(t *testing.T) {
	for _, tt := range []struct {
		ahead time.Duration
		level Level
		text  string
	}{
		{0, OK, "Right"},
		{9 * time.Second, OK, "Right"},
		{-30 * time.Second, Note, "30 seconds behind"},
		{3 * time.Minute, Problem, "3 minutes ahead of"},
		{-20 * time.Hour, Problem, "20 hours behind"},
		{20000 * 24 * time.Hour, Problem, "20000 days ahead of"},
	} {
		s := SignalReport{Clock: &ClockReport{AheadMs: tt.ahead.Milliseconds(), PrecisionMs: 500}}
		f := s.Explain()[1]
		if f.Level != tt.level || !strings.HasPrefix(f.Text, tt.text) {
			t.Errorf("%v ahead: %+v", tt.ahead, f)
		}
	}
}

func TestRelay_OverTLSNeedsACertificateOfItsName(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	c := &check{o: Options{Dial: (&net.Dialer{}).DialContext, TLS: &tls.Config{MinVersion: tls.VersionTLS12}}}
	host, port, _ := net.SplitHostPort(addr)
	var number uint16
	if _, err := fmt.Sscan(port, &number); err != nil {
		t.Fatal(err)
	}
	r := c.relay(t.Context(), relayServer{url: "turns:" + addr, host: host, port: number, transport: "tls"})
	if r.Reachable || !strings.Contains(r.Problem, "whom this device trusts") {
		t.Errorf("the relay: %+v", r)
	}
}
