package server

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/gate"
	"github.com/sightline-cam/sightline/signaling"
)

func newTestOffenders(o Options) *offenders {
	o.setDefaults()
	return newOffenders(&o)
}

func from(ip string) source { return source{address: gate.Prefix(netip.MustParseAddr(ip))} }

// provoke offends until a hold-off begins and returns after how many offences,
// and how long it is.
func provoke(o *offenders, now time.Time, s source, shared bool) (offences int, period time.Duration) {
	for period == 0 && offences < 10_000 {
		offences++
		period = o.offend(now, s, shared)
	}
	return offences, period
}

func TestOffenders_AreHeldOffForGrowingPeriodsAndForgotten(t *testing.T) {
	o := newTestOffenders(Options{})
	s := from("192.0.2.1")
	now := time.Unix(1000, 0)
	n, period := provoke(o, now, s, false)
	if n != 61 || period != time.Second {
		t.Fatalf("held off for %v after %d offences", period, n)
	}
	if o.offend(now, s, false) != 0 || o.held(now, s) != time.Second || o.held(now.Add(time.Second-1), s) != 1 || o.held(now.Add(time.Second), s) != 0 {
		t.Error("what was under way lengthens it")
	}
	for want := 2 * time.Second; want <= 20*time.Minute; want *= 2 {
		now = now.Add(period)
		n, period = provoke(o, now, s, false)
		if period != min(want, 10*time.Minute) || n > 61 {
			t.Fatalf("held off for %v after %d offences, want %v", period, n, want)
		}
	}
	now = now.Add(time.Hour)
	o.sweep(now)
	if len(o.table) != 1 {
		t.Error("forgotten within the hour")
	}
	o.sweep(now.Add(1))
	if len(o.table) != 0 {
		t.Error("not forgotten after the hour")
	}
	if _, period = provoke(o, now.Add(1), s, false); period != time.Second {
		t.Errorf("begins again with %v", period)
	}
	// Without a sweep too.
	if _, period = provoke(o, now.Add(2*time.Hour), s, false); period != time.Second {
		t.Errorf("begins again with %v", period)
	}
}

func TestOffenders_ProgramsThatAreMerelyBrokenAreForgiven(t *testing.T) {
	o := newTestOffenders(Options{})
	s := from("192.0.2.1")
	now := time.Unix(1000, 0)
	// Seven of ours in one household, with the pause that a page takes between
	// two attempts on the average, after the short pauses that it begins with.
	for range 7 * 6 {
		if o.offend(now, s, false) != 0 {
			t.Fatal("held off at the start")
		}
	}
	for range 1000 {
		now = now.Add(15 * time.Second)
		for range 7 {
			if o.offend(now, s, false) != 0 {
				t.Fatal("held off")
			}
		}
	}
}

func TestOffenders_AHouseholdIsNeverLockedOut(t *testing.T) {
	o := newTestOffenders(Options{})
	s := from("2001:db8::1")
	start := time.Unix(1000, 0)
	var heldFor, longest time.Duration
	// One phone offends ten times a second, all day long.
	const step = 100 * time.Millisecond
	run := time.Duration(0)
	for now := start; now.Sub(start) < 24*time.Hour; now = now.Add(step) {
		if o.held(now, s) > 0 {
			heldFor += step
			run += step
			longest = max(longest, run)
			continue
		}
		run = 0
		o.offend(now, s, true)
	}
	if longest > sharedHoldOff || heldFor > 12*time.Hour {
		t.Errorf("held off for %v of a day, for %v at a time", heldFor, longest)
	}
	if heldFor < 6*time.Hour {
		t.Errorf("held off for %v of a day only", heldFor)
	}
}

func TestOffenders_ForgiveMoreToLoopback(t *testing.T) {
	o := newTestOffenders(Options{})
	for _, ip := range []string{"127.0.0.1", "::1"} {
		if n, _ := provoke(o, time.Unix(1000, 0), from(ip), false); n != 601 {
			t.Errorf("%s is held off after %d offences", ip, n)
		}
	}
}

func TestOffenders_KeepPagesApart(t *testing.T) {
	o := newTestOffenders(Options{})
	now := time.Unix(1000, 0)
	page := from("192.0.2.1")
	page.foreign = true
	provoke(o, now, page, false)
	if o.held(now, page) == 0 || o.held(now, from("192.0.2.1")) != 0 {
		t.Error("a foreign page had its household held off")
	}
}

func TestOffenders_AreABoundedNumber(t *testing.T) {
	o := newTestOffenders(Options{})
	now := time.Unix(1000, 0)
	worst := from("192.0.2.1")
	provoke(o, now, worst, false)
	for i := range maxOffenders + 100 {
		o.offend(now, from(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), false)
	}
	if len(o.table) != maxOffenders || o.held(now, worst) == 0 {
		t.Errorf("%d offenders are remembered, the worst one: %v", len(o.table), o.held(now, worst))
	}
	for s := range o.table { // nobody to forget
		o.table[s].until = now.Add(time.Second)
	}
	if late := from("192.0.2.2"); o.offend(now, late, false) != 0 || len(o.table) != maxOffenders {
		t.Errorf("%d offenders are remembered", len(o.table))
	}
}

// visit opens a WebSocket for an address behind a trusted proxy.
func (s *site) visit(address string, header http.Header) answer {
	s.t.Helper()
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Forwarded-For", address)
	return dialOnce(s, header, signaling.Subprotocol)
}

func TestServer_HoldsOffWhoKeepsOffending(t *testing.T) {
	for reason, offend := range map[string]func(r *raw){
		refusedProof: func(r *raw) { r.send(&signaling.Register{JWS: "a.b.c", Keys: "a.b.c"}) },
		refusedForm:  func(r *raw) { r.write("hello") },
		refusedMute:  func(*raw) {},
		refusedRate: func(r *raw) {
			r.register(newID(r.t), "")
			for range 5 {
				r.send(&signaling.Lookup{To: newID(r.t).PeerID()})
			}
		},
	} {
		t.Run(reason, func(t *testing.T) {
			inVirtualTime(t, Options{
				OffenceBurst: 1, OffenceRate: 1e-9, MinHoldOff: time.Hour, MaxHoldOff: time.Hour, PeerBurst: 1, PeerRate: 1e-9, Strikes: 1,
			}, func(t *testing.T, s *site) {
				var all []*raw
				for range loopbackFactor + 1 {
					all = append(all, s.dial())
				}
				for _, r := range all {
					offend(r)
				}
				for _, r := range all {
					for { // to the end
						if _, err := r.read(); err != nil {
							break
						}
					}
				}
				s.counted("hold_offs_total", 1, reason)
				if got := s.metric("refused_total", reason); got != loopbackFactor+1 {
					t.Errorf("counted %v", got)
				}
				got := dialOnce(s, nil, signaling.Subprotocol)
				if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "3600" {
					t.Errorf("%+v", got)
				}
				if got := s.request("GET", "/healthz", nil); got.status != http.StatusOK {
					t.Errorf("healthz: %d", got.status)
				}
				s.counted("refused_total", 1, refusedHeldOff)
			})
		})
	}
}

func TestServer_HoldsOffOneAddressOnly(t *testing.T) {
	inVirtualTime(t, Options{TrustedProxies: []string{"127.0.0.1"}, OffenceBurst: 1, OffenceRate: 1e-9, MaxConnectionsPerAddress: 1, MinHoldOff: time.Hour, MaxHoldOff: time.Hour}, func(t *testing.T, s *site) {
		o := &websocket.DialOptions{Subprotocols: []string{signaling.Subprotocol}, HTTPHeader: http.Header{"X-Forwarded-For": {"192.0.2.1"}}, HTTPClient: s.http.Client()}
		ws, _, err := websocket.Dial(t.Context(), s.http.URL+signaling.Path, o) //nolint:bodyclose // the library says that it need not be
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		for i, want := range []string{"10", "10", "3600"} {
			if got := s.visit("192.0.2.1", nil); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != want {
				t.Errorf("%d: %+v", i, got)
			}
		}
		if got := s.visit("192.0.2.2", nil); got.status != http.StatusSwitchingProtocols {
			t.Errorf("another address: %+v", got)
		}
		s.counted("hold_offs_total", 1, refusedAddress)
	})
}

func TestServer_AForeignPageIsHeldOffAndItsHouseholdIsNot(t *testing.T) {
	inVirtualTime(t, Options{TrustedProxies: []string{"127.0.0.1"}, OffenceBurst: 1, OffenceRate: 1e-9}, func(t *testing.T, s *site) {
		evil := http.Header{"Origin": {"https://evil.example.org"}}
		for i, want := range []int{403, 403, 429} {
			if got := s.visit("192.0.2.1", evil); got.status != want {
				t.Errorf("%d: %+v", i, got)
			}
		}
		if got := s.visit("192.0.2.1", http.Header{"Host": {"rebound.example.org"}}); got.status != 429 {
			t.Errorf("under another name: %+v", got)
		}
		if got := s.visit("192.0.2.1", nil); got.status != http.StatusSwitchingProtocols {
			t.Errorf("the household: %+v", got)
		}
		if got := s.metric("refused_total", refusedHeldOff); got != 2 {
			t.Errorf("counted %v", got)
		}
		// Other requests than for a WebSocket are refused, and count for nothing.
		for range 5 {
			got := s.request("GET", "/", func(r *http.Request) {
				r.Header.Set("Origin", "https://evil.example.org")
				r.Header.Set("X-Forwarded-For", "192.0.2.3")
			})
			if got.status != 403 {
				t.Errorf("a page: %d", got.status)
			}
		}
	})
}

func TestServer_WhoeverSharesAnAddressWithARegisteredPeerWaitsForSeconds(t *testing.T) {
	inVirtualTime(t, Options{OffenceBurst: 1, OffenceRate: 1e-9, MinHoldOff: time.Hour, MaxHoldOff: time.Hour}, func(t *testing.T, s *site) {
		camera, _ := s.peer()
		for range loopbackFactor + 1 {
			r := s.dial()
			r.write("hello")
			r.wantEnd(signaling.CodeBadMessage, websocket.StatusPolicyViolation)
		}
		s.counted("hold_offs_total", 1, refusedForm)
		if got := dialOnce(s, nil, signaling.Subprotocol); got.status != 429 || got.header.Get("Retry-After") != "4" {
			t.Errorf("%+v", got)
		}
		camera.send(&signaling.Lookup{To: newID(t).PeerID(), Ref: 1}) // who is there stays
		if e := next[*signaling.ServerError](camera); e.Code != signaling.CodeUnreachable {
			t.Errorf("%+v", e)
		}
	})
}

// TestServer_OneBrokenPhoneAnswersForItself registers with one key and offends,
// again and again.
func TestServer_OneBrokenPhoneAnswersForItself(t *testing.T) {
	inVirtualTime(t, Options{OffenceBurst: 3, OffenceRate: 1e-9, TrustedProxies: []string{"127.0.0.1"}, MinHoldOff: time.Hour, MaxHoldOff: time.Hour}, func(t *testing.T, s *site) {
		home := http.Header{"X-Forwarded-For": {"192.0.2.1"}}
		dial := func() *raw {
			t.Helper()
			o := &websocket.DialOptions{Subprotocols: []string{signaling.Subprotocol}, HTTPHeader: home, HTTPClient: s.http.Client()}
			ws, _, err := websocket.Dial(t.Context(), s.http.URL+signaling.Path, o) //nolint:bodyclose // the library says that it need not be
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ws.CloseNow() })
			return &raw{t: t, ws: ws, host: s.host()}
		}
		broken := newID(t)
		for range 4 {
			r := dial()
			r.register(broken, "")
			r.write("hello")
			r.wantEnd(signaling.CodeBadMessage, websocket.StatusPolicyViolation)
		}
		s.counted("hold_offs_total", 1, refusedForm)
		refused := dial()
		nonce := next[*signaling.Challenge](refused).Nonce
		jws, err := signaling.SignRegistration(broken, nonce, s.host(), "")
		if err != nil {
			t.Fatal(err)
		}
		refused.send(&signaling.Register{JWS: jws, Keys: broken.KeyStatement()})
		refused.wantEnd(signaling.CodeRateLimited, websocket.StatusTryAgainLater)
		s.counted("refused_total", 1, refusedHeldOff)

		// The rest of the household comes in; its address has offended twice.
		good := dial()
		good.register(newID(t), "")
		_ = good.ws.CloseNow()
		s.counted("connections", 0)

		// Fresh keys excuse nobody.
		for range 2 {
			r := dial()
			r.register(newID(t), "")
			r.write("hello")
			r.wantEnd(signaling.CodeBadMessage, websocket.StatusPolicyViolation)
		}
		s.counted("hold_offs_total", 2, refusedForm)
		if got := s.visit("192.0.2.1", nil); got.status != http.StatusTooManyRequests {
			t.Errorf("%+v", got)
		}
	})
}

func TestAddresses_RememberWhereSomebodyWasRegistered(t *testing.T) {
	o := Options{}
	o.setDefaults()
	a := newAddresses(&o)
	now := time.Unix(1000, 0)
	ip := netip.MustParseAddr("192.0.2.1")
	e, _ := a.enter(now, ip)
	steps := []struct {
		do   func()
		at   time.Duration
		want bool
	}{
		{func() {}, 0, false},
		{func() { a.prove(e) }, 0, true},
		{func() { a.unprove(now, e, false) }, 0, false}, // by an offence
		{func() { a.prove(e); a.unprove(now, e, true); a.leave(now, e) }, 0, true},
		{func() { a.sweep(now.Add(standing - 1)) }, standing - 1, true},
		{func() {}, standing, false},
		{func() { a.sweep(now.Add(standing + 1)) }, standing + 1, false},
	}
	for i, step := range steps {
		step.do()
		if got := a.shared(now.Add(step.at), gate.Prefix(ip)); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	if len(a.table) != 0 {
		t.Error("never forgotten")
	}
}

func TestServer_ACrowdThatNeverSpeaksHurtsNobody(t *testing.T) {
	srv, err := New(patient(Options{MaxWaiting: 10}))
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(srv.Handler())
	l := srv.Limit(h.Listener)
	h.Listener, h.Config.ConnState = l, l.ConnState
	h.Start()
	t.Cleanup(func() {
		h.Close()
		_ = srv.Close()
	})
	s := &site{Server: srv, t: t, http: h}
	alice, _ := s.peer()
	for range 100 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.host())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	_, bobID := s.peer()
	alice.send(&signaling.Lookup{To: bobID.PeerID(), Ref: 1})
	next[*signaling.Keys](alice)
	s.counted("refused_total", 91, refusedWaiting) // bob came as one more
	if l.Waiting() != 9 {
		t.Errorf("%d wait", l.Waiting())
	}
}

func TestServer_KnowsItsProxies(t *testing.T) {
	s, err := New(Options{TrustedProxies: []string{"192.0.2.7/24", "2001:db8::1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if fmt.Sprint(s.proxies) != "[192.0.2.0/24 2001:db8::1/128]" {
		t.Errorf("the proxies are %v", s.proxies)
	}
}
