package agent

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
)

// sayWho answers with the role of who asks, and from where.
func sayWho(w http.ResponseWriter, r *http.Request, p *trust.Principal) {
	role := "nobody"
	if p != nil {
		role = string(p.Role)
	}
	fmt.Fprintf(w, "%s from %s", role, CameFrom(r))
}

func withExtra(routes ...ExtraRoute) func(*Options) {
	return func(o *Options) { o.Extra = routes }
}

func get(h ExtraHandler) map[string]ExtraHandler { return map[string]ExtraHandler{"GET": h} }

func TestExtraRoute_IsServedWhereItSays(t *testing.T) {
	a, _ := newTestAgent(t, withExtra(
		ExtraRoute{Pattern: "/v1/a", Listener: true, Methods: get(sayWho)},
		ExtraRoute{Pattern: "/v1/b", Channel: true, Methods: get(sayWho)},
		ExtraRoute{Pattern: "/v1/c", Console: true, Methods: get(sayWho)},
	))
	for path, want := range map[string][3]int{"/v1/a": {200, 404, 404}, "/v1/b": {404, 200, 404}, "/v1/c": {404, 404, 200}} {
		s := newSession(t, a, newIdentity(t).PeerID())
		got := [3]int{serve(a.ownRoutes, request("GET", path, "")).Code, ask(t, a, s, "GET", path, nil).Code, atConsole(t, a, "GET", path, nil).Code}
		if got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestExtraRoute_StandsBehindTheSameGuards(t *testing.T) {
	a, _, _ := newClosedAgent(t, withExtra(ExtraRoute{Pattern: "/v1/x", Listener: true, Channel: true, Console: true, Methods: get(sayWho)}))
	owner := pairOwner(t, a)
	guest := newIdentity(t).PeerID()
	_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front")
	if w := serve(a.ownRoutes, request("GET", "/v1/x", "")); w.Code != 401 {
		t.Errorf("nobody: %d %s", w.Code, w.Body)
	}
	for who, want := range map[string]string{"owner": "owner from 192.0.2.9:4000", "guest": "guest from 192.0.2.9:4000"} {
		s := newSession(t, a, owner.PeerID())
		if who == "guest" {
			s = newSession(t, a, guest, g)
		}
		if w := ask(t, a, s, "GET", "/v1/x", nil); w.Body.String() != want {
			t.Errorf("%s: %d %s", who, w.Code, w.Body)
		}
	}
	if w := ask(t, a, newSession(t, a, newIdentity(t).PeerID()), "GET", "/v1/x", nil); w.Code != 403 {
		t.Errorf("a stranger: %d %s", w.Code, w.Body)
	}
	if w := atConsole(t, a, "GET", "/v1/x", nil); w.Body.String() != "console from console" {
		t.Errorf("the console: %d %s", w.Code, w.Body)
	}
	r := request("GET", "/v1/x", "")
	r.Host = "evil.example"
	if w := serve(a.ownRoutes, r); w.Code != 421 {
		t.Errorf("a foreign host: %d", w.Code)
	}
	if w := serve(a.ownRoutes, request("GET", "/v1/x", "", "Origin", "https://evil.example")); w.Code != 403 {
		t.Errorf("a foreign origin: %d", w.Code)
	}
	if w := ask(t, a, newSession(t, a, owner.PeerID()), "DELETE", "/v1/x", nil); w.Code != 405 || w.Header().Get("Allow") != "GET" {
		t.Errorf("another method: %d %v", w.Code, w.Header())
	}
}

func TestExtraRoute_PublicOnesAskNobodyOnTheListenerOnly(t *testing.T) {
	a, _, _ := newClosedAgent(t, withExtra(ExtraRoute{Pattern: "/v1/x", Listener: true, Channel: true, Public: true, Methods: get(sayWho)}))
	owner := pairOwner(t, a)
	if w := serve(a.ownRoutes, request("GET", "/v1/x", "")); w.Code != 200 || !strings.HasPrefix(w.Body.String(), "nobody from 127.0.0.1") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := serve(a.ownRoutes, request("GET", "/v1/x", "", "Origin", "https://evil.example")); w.Code != 403 {
		t.Errorf("a foreign origin: %d", w.Code)
	}
	if w := ask(t, a, newSession(t, a, newIdentity(t).PeerID()), "GET", "/v1/x", nil); w.Code != 403 {
		t.Errorf("a stranger's session: %d", w.Code)
	}
	if w := ask(t, a, newSession(t, a, owner.PeerID()), "GET", "/v1/x", nil); !strings.HasPrefix(w.Body.String(), "owner") {
		t.Errorf("the owner's session: %s", w.Body)
	}
}

func TestExtraRoute_SharesAPathWithTheAgentsOwn(t *testing.T) {
	a, _ := newTestAgent(t, withExtra(ExtraRoute{Pattern: "/v1/time", Listener: true, Console: true, Public: true, Methods: map[string]ExtraHandler{"POST": sayWho}}))
	if w := serve(a.ownRoutes, request("GET", "/v1/time", "")); w.Code != 200 || !strings.Contains(w.Body.String(), "unixMs") {
		t.Errorf("GET: %d %s", w.Code, w.Body)
	}
	if w := serve(a.ownRoutes, request("POST", "/v1/time", "")); !strings.HasPrefix(w.Body.String(), "nobody") {
		t.Errorf("POST: %d %s", w.Code, w.Body)
	}
	if w := serve(a.ownRoutes, request("PUT", "/v1/time", "")); w.Code != 405 || w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("PUT: %d %v", w.Code, w.Header())
	}
	if w := atConsole(t, a, "GET", "/v1/time", nil); w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET at the console: %d %v", w.Code, w.Header())
	}
}

func TestExtraRoute_LongAnswersHoldUpNothingElse(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	slow := func(w http.ResponseWriter, _ *http.Request, _ *trust.Principal) {
		began <- struct{}{}
		<-end
		w.WriteHeader(http.StatusOK)
	}
	a, _ := newTestAgent(t, withExtra(ExtraRoute{Pattern: "/v1/long", Channel: true, Long: true, Methods: get(slow)}))
	s, other := newSession(t, a, "busy"), newSession(t, a, "other")
	codes := make(chan int, maxDownloadsPerPeer)
	for range maxDownloadsPerPeer { // far more than the requests of this session
		go func() { codes <- ask(t, a, s, "GET", "/v1/long", nil).Code }()
		<-began
	}
	if w := ask(t, a, s, "GET", "/v1/time", nil); w.Code != 200 {
		t.Errorf("a small request: %d", w.Code)
	}
	if w := ask(t, a, s, "GET", "/v1/long", nil); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d", w.Code)
	}
	go func() { codes <- ask(t, a, other, "GET", "/v1/long", nil).Code }()
	<-began
	close(end)
	for range maxDownloadsPerPeer + 1 {
		if code := <-codes; code != 200 {
			t.Errorf("a long answer: %d", code)
		}
	}
	if a.downloads.all != 0 || len(a.downloads.of) != 0 {
		t.Errorf("places are lost: %d, %v", a.downloads.all, a.downloads.of)
	}
}

func TestDownloads_HaveALimitForAllPeers(t *testing.T) {
	d := newDownloads(3, 2)
	leave, _ := d.enter("a")
	for i, want := range []bool{true, false} {
		if _, ok := d.enter("a"); ok != want {
			t.Errorf("a's place %d: %v", i+2, ok)
		}
	}
	if _, ok := d.enter("b"); !ok {
		t.Error("b finds no place")
	}
	if _, ok := d.enter("c"); ok {
		t.Error("more than there are places for all")
	}
	leave()
	if _, ok := d.enter("c"); !ok {
		t.Error("a place that was given back is lost")
	}
}

func TestExtraRoute_ChangesAreBounded(t *testing.T) {
	a, _, _ := newClosedAgent(t, withExtra(ExtraRoute{
		Pattern: "/v1/x", Channel: true, Console: true, Changes: true, Methods: map[string]ExtraHandler{"GET": sayWho, "PUT": sayWho},
	}))
	s := newSession(t, a, pairOwner(t, a).PeerID())
	refused := 0
	for range changesBurst + 10 {
		if w := ask(t, a, s, "PUT", "/v1/x", nil); w.Code == 429 {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("%d changes were refused", refused)
	}
	if w := ask(t, a, s, "GET", "/v1/x", nil); w.Code != 200 {
		t.Errorf("GET: %d", w.Code)
	}
	if w := atConsole(t, a, "PUT", "/v1/x", nil); w.Code != 200 {
		t.Errorf("the console: %d", w.Code)
	}
}

func TestExtraRoute_MistakesAreFound(t *testing.T) {
	for name, e := range map[string]ExtraRoute{
		"no path":        {Pattern: "GET /v1/x", Listener: true, Methods: get(sayWho)},
		"nowhere":        {Pattern: "/v1/x", Methods: get(sayWho)},
		"no methods":     {Pattern: "/v1/x", Listener: true},
		"options":        {Pattern: "/v1/x", Listener: true, Methods: map[string]ExtraHandler{"OPTIONS": sayWho}},
		"taken":          {Pattern: "/v1/cameras", Console: true, Methods: get(sayWho)},
		"public changes": {Pattern: "/v1/x", Listener: true, Public: true, Changes: true, Methods: get(sayWho)},
	} {
		good, _ := newTestAgent(t, nil)
		o := good.opts
		o.Extra = []ExtraRoute{e}
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "extra route") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStanding_FollowsWhatTheAgentDoes(t *testing.T) {
	a, _, _ := newClosedAgent(t, func(o *Options) { o.Log = newLog(t) })
	owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
	jti, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Playback}, "front")
	s := newSession(t, a, guest, g)
	for _, standing := range []func(*trust.Principal) (*trust.Principal, error){Standing(a.gate.trust, nil), Standing(a.gate.trust, a.gate.list)} {
		if p, err := standing(s.principal.Load()); err != nil || !p.May(access.Playback, "front") {
			t.Errorf("%v %v", p, err)
		}
	}
	if w := atConsole(t, a, "POST", "/v1/console/revoke", map[string]string{"id": jti}); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if _, err := Standing(a.gate.trust, a.gate.list)(s.principal.Load()); err == nil {
		t.Error("what was taken back still counts")
	}
}

func TestExtraRoute_RefusalsAreCounted(t *testing.T) {
	a, _, _ := newClosedAgent(t, withExtra(ExtraRoute{Pattern: "/v1/x", Channel: true, Methods: get(func(w http.ResponseWriter, _ *http.Request, p *trust.Principal) {
		if c, ok := w.(interface{ Refused(err error) }); ok {
			c.Refused(p.Need(access.Playback, "front"))
		}
		w.WriteHeader(http.StatusForbidden)
	})}))
	owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
	_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front")
	if w := ask(t, a, newSession(t, a, guest, g), "GET", "/v1/x", nil); w.Code != 403 || refusals(a, check.Right) != 1 {
		t.Errorf("%d, %v", w.Code, a.metrics.refusals)
	}
}
