package agent

import (
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
)

// logged returns how many entries of a kind are in the agent's access log, and
// the last one.
func logged(t *testing.T, a *Agent, kind accesslog.Kind) (n int, last string) {
	t.Helper()
	if err := a.opts.Log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for after := int64(0); ; {
		lines, _, err := a.opts.Log.Read(after, accesslog.MaxRead)
		if err != nil || len(lines) == 0 {
			return n, last
		}
		for _, line := range lines {
			if after++; strings.Contains(line, `"kind":"`+string(kind)+`"`) {
				n, last = n+1, line
			}
		}
	}
}

func withLog(t *testing.T) func(*Options) {
	return func(o *Options) {
		log, err := accesslog.Open("", accesslog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		o.Log = log
	}
}

func TestAccessLog_AGuestCannotFillItWithTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		may2026()
		a, _, _ := newClosedAgent(t, withLog(t))
		owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
		_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front")
		s := newSession(t, a, guest, g)
		token := func(s *session) *httptest.ResponseRecorder {
			r := request("POST", "/v1/whep-tokens", `{"camera":"front"}`, "Content-Type", "application/json")
			return serve(a.handler(overChannel), overSession(r, s))
		}
		for range 10 * 60 { // ten minutes, one a second
			token(s)
			time.Sleep(time.Second) //nolint:forbidigo // virtual time
		}
		n, _ := logged(t, a, accesslog.WHEPToken)
		if most := changesBurst + 61; n < changesBurst || n > most {
			t.Errorf("%d entries, want at most %d", n, most)
		}
		token(s)
		if w := token(s); w.Code != 429 || w.Header().Get("Retry-After") != "10" || errorCode(t, w) != "too_often" || refusals(a, check.Rate) == 0 {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		if w := token(newSession(t, a, owner.PeerID())); w.Code != 201 {
			t.Errorf("the owner got %d", w.Code)
		}
		if w := atConsole(t, a, "POST", "/v1/whep-tokens", map[string]string{"camera": "front"}); w.Code != 201 {
			t.Errorf("the console got %d", w.Code)
		}
	})
}

func TestAccessLog_AGuestCannotFillItByComingAndGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		may2026()
		a, _, _ := newClosedAgent(t, withLog(t))
		owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
		_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front")
		visit := func() bool {
			s := newSession(t, a, guest, g)
			if !a.journal.came(time.Now(), s, "192.0.2.9:1") {
				return false
			}
			a.journal.left(s, "192.0.2.9:1", time.Now())
			return true
		}
		for range 20 * 60 { // twenty minutes, one a second
			visit()
			time.Sleep(time.Second) //nolint:forbidigo // virtual time
		}
		n, last := logged(t, a, accesslog.Came)
		if most := visitsBurst + 2*21; n < visitsBurst || n > most {
			t.Errorf("%d entries, want at most %d", n, most)
		}
		if !strings.Contains(last, "not written down") && !strings.Contains(last, "too often") {
			t.Errorf("nothing says that there was more: %s", last)
		}
		time.Sleep(3 * time.Minute) //nolint:forbidigo // virtual time
		if !visit() {
			t.Error("after a while the guest's visit is not written down")
		}
		if _, last := logged(t, a, accesslog.Came); !strings.Contains(last, "visits before this one are not written down") {
			t.Errorf("nothing says how many there were: %s", last)
		}
	})
}

func TestEvents_OneSessionCannotTakeAllStreams(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	h, greedy, other := a.handler(overChannel), newSession(t, a, newIdentity(t).PeerID()), newSession(t, a, newIdentity(t).PeerID())
	for range maxEventsPerSession { // streams that go on
		if !greedy.events.take() {
			t.Fatal("no stream")
		}
	}
	if w := serve(h, overSession(request("GET", "/v1/events", ""), greedy)); w.Code != 503 {
		t.Errorf("a stream too many got %d", w.Code)
	}
	if w := serve(h, overSession(request("GET", "/v1/events", ""), other)); w.Code != 200 {
		t.Errorf("another viewer got %d", w.Code)
	}
	greedy.events.give()
	for range 2 { // one after the other
		if w := serve(h, overSession(request("GET", "/v1/events", ""), greedy)); w.Code != 200 {
			t.Errorf("with a place left: %d", w.Code)
		}
	}
}

// comingListener hands out connections that seem to come from elsewhere.
type comingListener struct {
	fakeListener
	from chan string
}

func (l comingListener) Accept() (net.Conn, error) {
	addr, err := net.ResolveTCPAddr("tcp", <-l.from)
	return &comingConn{addr: addr}, err
}

type comingConn struct {
	net.Conn
	addr   net.Addr
	closed bool
}

func (c *comingConn) RemoteAddr() net.Addr { return c.addr }
func (c *comingConn) Close() error         { c.closed = true; return nil }

func TestLimitedListener_OneAddressTakesAQuarter(t *testing.T) {
	from := make(chan string, 8)
	l := newLimitedListener(comingListener{from: from}, 8, nil)
	accept := func(addrs ...string) net.Conn {
		t.Helper()
		for _, a := range addrs {
			from <- a
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := accept("192.0.2.1:1")
	accept("192.0.2.1:2")
	if c := accept("192.0.2.1:3", "192.0.2.2:1"); c.RemoteAddr().String() != "192.0.2.2:1" {
		t.Errorf("%v got a third place", c.RemoteAddr())
	}
	_, _ = first.Close(), first.Close() // twice counts once
	accept("192.0.2.1:4")
	if c := accept("192.0.2.1:5", "[2001:db8::1]:1"); c.RemoteAddr().String() != "[2001:db8::1]:1" {
		t.Errorf("%v got a third place", c.RemoteAddr())
	}
	accept("[2001:db8::2]:1")
	if c := accept("[2001:db8::3]:1", "127.0.0.1:1"); c.RemoteAddr().String() != "127.0.0.1:1" {
		t.Errorf("%v: a /64 got a third place", c.RemoteAddr())
	}
	accept("127.0.0.1:2")
	accept("127.0.0.1:3") // all eight are taken
	if len(l.open) != 3 || l.limit.take() {
		t.Errorf("%v", l.open)
	}
}

func TestMetrics_AReverseProxyOnThisMachineIsNotThisMachine(t *testing.T) {
	a, _, _ := newClosedAgent(t, nil)
	if w := serve(a.ownRoutes, request("GET", "/metrics", "")); w.Code != 200 {
		t.Errorf("a scraper on this machine: %d", w.Code)
	}
	for _, field := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"} {
		if w := serve(a.ownRoutes, request("GET", "/metrics", "", field, "203.0.113.7")); w.Code != 403 {
			t.Errorf("%s: %d", field, w.Code)
		}
	}
}

func TestAccess_ADiskThatTakesNothingIsNamed(t *testing.T) {
	dir := t.TempDir()
	a, _, _ := newClosedAgent(t, func(o *Options) {
		withLog(t)(o)
		var err error
		if o.Trust, err = trust.Open(trust.Options{Dir: dir, Publisher: o.Identity, Cameras: func() []string { return []string{"front"} }}); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.RemoveAll(dir); err != nil { // as good as a card that was pulled out
		t.Fatal(err)
	}
	revoked := string(newIdentity(t).PeerID())
	if w := atConsole(t, a, "POST", "/v1/console/revoke", map[string]string{"id": revoked}); w.Code != 507 || !strings.Contains(w.Body.String(), `"not_kept"`) || !strings.Contains(w.Body.String(), "do this again") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n, last := logged(t, a, accesslog.Revoked); n != 1 || !strings.Contains(last, revoked) {
		t.Errorf("what is in force is not in the log: %s", last)
	}
	for path, body := range map[string]any{
		"/v1/console/pair":    map[string]bool{"reset": true},
		"/v1/console/invites": map[string]any{"name": "Bob", "rights": []string{"live"}, "cameras": []string{string(a.PeerID()) + "/*"}, "expires": 0, "pass": false},
	} {
		w := atConsole(t, a, "POST", path, body)
		if w.Code != 507 || errorCode(t, w) != "not_written" || !strings.Contains(w.Body.String(), "Make room") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestReset_EndsThePlayersOfTheConsole(t *testing.T) {
	a, fake, _ := newClosedAgent(t, nil)
	token := func() string {
		var made struct{ Token string }
		decode(t, atConsole(t, a, "POST", "/v1/whep-tokens", map[string]string{"camera": "front"}), &made)
		return made.Token
	}
	play := func(token string) int {
		return serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", typeSDP, "Authorization", "Bearer "+token)).Code
	}
	before := token()
	if got := play(before); got != 201 {
		t.Fatal(got)
	}
	atConsole(t, a, "POST", "/v1/console/pair", map[string]bool{"reset": true})
	a.watching.Wait()
	if !fake.session(0).ended() {
		t.Error("a player goes on")
	}
	if got := play(before); got != 401 {
		t.Errorf("its token: %d", got)
	}
	if got := play(token()); got != 201 {
		t.Errorf("a new one: %d", got)
	}
}
