package portmap

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scripted is a router of which a test says what it answers, by protocol. Its
// journal has a line for each request, with the time since the beginning.
type scripted struct {
	begin time.Time
	delay time.Duration // before each answer

	mu      sync.Mutex
	answers map[Protocol]func(w wish) (grant, error)
	journal []string
}

// with runs a function under the router's mutex, which also guards what a test's own
// callbacks use.
func (s *scripted) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func newScripted() *scripted {
	return &scripted{answers: make(map[Protocol]func(wish) (grant, error)), begin: time.Now()}
}

// says makes a protocol's answer the same for every request.
func (s *scripted) says(p Protocol, g grant, err error) {
	s.with(func() {
		s.answers[p] = func(w wish) (grant, error) {
			g := g
			g.internal = w.port
			return g, err
		}
	})
}

func (s *scripted) mappers(netip.Addr, netip.Addr, []byte) (all []way) {
	for _, p := range []Protocol{PCP, NATPMP, UPnP} {
		all = append(all, way{p, &scriptedMapper{s, p}})
	}
	return all
}

func (s *scripted) note(format string, args ...any) {
	s.with(func() {
		s.journal = append(s.journal, fmt.Sprintf("%s ", time.Since(s.begin))+fmt.Sprintf(format, args...))
	})
}

// take returns the journal since the last take.
func (s *scripted) take() (j []string) {
	s.with(func() { j, s.journal = s.journal, nil })
	return j
}

type scriptedMapper struct {
	*scripted
	protocol Protocol
}

func (m *scriptedMapper) request(ctx context.Context, w wish) (grant, error) {
	m.note("%s %s", m.protocol, w.transport)
	if !sleep(ctx, m.delay) {
		return grant{}, fmt.Errorf("%w: %w", errNoAnswer, context.Cause(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if answer := m.answers[m.protocol]; answer != nil {
		return answer(w)
	}
	return grant{}, errNoAnswer
}

func (m *scriptedMapper) release(_ context.Context, transport string, g grant) error {
	m.note("%s release %s %s", m.protocol, transport, g.external)
	return nil
}

func outside(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

// home is where a test's device is.
func home() (gateway, local netip.Addr, err error) {
	return netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("192.168.1.5"), nil
}

// runScripted starts a client with a scripted router in virtual time.
func runScripted(t *testing.T, s *scripted, opts Options) *started {
	t.Helper()
	opts.Port, opts.mappers = 40000, s.mappers
	if opts.Gateway == nil {
		opts.Gateway = home
	}
	return start(t, opts)
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time
	synctest.Wait()
}

func wantJournal(t *testing.T, s *scripted, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.take()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func states(r Report) string {
	var all []string
	for _, p := range r.Protocols {
		all = append(all, string(p.State))
	}
	return strings.Join(all, ", ")
}

func TestClient_TriesInOrderAndStaysWithWhatWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{}, refused("it does not like the hour"))
		s.says(UPnP, grant{external: outside("11.0.0.10:40001"), lifetime: 2 * time.Hour}, nil)
		c := runScripted(t, s, Options{TCP: true})
		pass(0)
		wantJournal(t, s, "0s pcp udp", "0s nat-pmp udp", "0s upnp udp", "0s upnp tcp")
		if got, want := states(c.Report()), "refused, no answer, mapped"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
		pass(askEvery)
		wantJournal(t, s, "5m0s upnp udp", "5m0s upnp tcp")
		c.stop()
		wantJournal(t, s, "5m0s upnp release udp 11.0.0.10:40001", "5m0s upnp release tcp 11.0.0.10:40001")
		if m := c.Mappings(); len(m) != 0 {
			t.Errorf("left after the end: %+v", m)
		}
	})
}

func TestClient_RenewsAtHalfTheLifetime(t *testing.T) {
	for _, c := range []struct{ granted, want time.Duration }{
		{2 * time.Hour, 5 * time.Minute},
		{0, 5 * time.Minute}, // without an end
		{4 * time.Minute, 2 * time.Minute},
		{10 * time.Second, 15 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScripted()
			s.says(PCP, grant{external: outside("11.0.0.10:40000"), lifetime: c.granted}, nil)
			runScripted(t, s, Options{})
			pass(c.want)
			wantJournal(t, s, "0s pcp udp", c.want.String()+" pcp udp")
		})
	}
}

func TestClient_AsksADeafRouterEverMoreSeldomAndAtOnceAfterRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		c := runScripted(t, s, Options{})
		pass(4 * time.Hour)
		var pcpOnly []string
		for _, line := range s.take() {
			if strings.Contains(line, "pcp") {
				pcpOnly = append(pcpOnly, strings.TrimSuffix(line, " pcp udp"))
			}
		}
		if diff := cmp.Diff([]string{"0s", "1m0s", "3m0s", "7m0s", "15m0s", "31m0s", "1h3m0s", "2h3m0s", "3h3m0s"}, pcpOnly); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		if p := c.Report().Problem; !strings.Contains(p, "neither PCP nor NAT-PMP nor UPnP") || !strings.Contains(p, "forward UDP port 40000 to 192.168.1.5") {
			t.Errorf("problem %q", p)
		}
		c.Renew()
		pass(time.Minute)
		wantJournal(t, s, "4h0m0s pcp udp", "4h0m0s nat-pmp udp", "4h0m0s upnp udp", "4h1m0s pcp udp", "4h1m0s nat-pmp udp", "4h1m0s upnp udp")
	})
}

func TestClient_RenewStormAsksOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}, nil)
		c := runScripted(t, s, Options{})
		for range 1000 {
			c.Renew()
			pass(10 * time.Millisecond)
		}
		if n := len(s.take()); n > 11 {
			t.Errorf("%d requests in 10 s", n)
		}
	})
}

// A router that says nothing may be restarting: the mapping is kept as long as it
// may live, and the router asked often.
func TestClient_KeepsTheMappingOfASilentRouterUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		granted := grant{external: outside("11.0.0.10:40000"), lifetime: 6 * time.Minute}
		s.says(PCP, granted, nil)
		c := runScripted(t, s, Options{})
		pass(0)
		s.with(func() { delete(s.answers, PCP) })
		s.take()
		pass(3*time.Minute + 40*time.Second)
		var asked []string
		for _, line := range s.take() {
			if strings.Contains(line, "pcp") {
				asked = append(asked, line)
			}
		}
		if diff := cmp.Diff([]string{"3m0s pcp udp", "3m5s pcp udp", "3m15s pcp udp", "3m35s pcp udp"}, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if n := len(c.Mappings()); n != 1 {
			t.Errorf("%d mappings while they may live", n)
		}
		pass(2*time.Minute + 20*time.Second)
		if n := len(c.Mappings()); n != 0 {
			t.Errorf("%d mappings after they expired", n)
		}
		s.says(PCP, granted, nil)
		pass(5 * time.Minute)
		if n := len(c.Mappings()); n != 1 {
			t.Errorf("%d mappings after the router came back", n)
		}
	})
}

func TestClient_DropsAMappingThatTheRouterRefusesAndTriesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}, nil)
		c := runScripted(t, s, Options{})
		pass(0)
		s.says(PCP, grant{}, refused("no"))
		pass(askEvery)
		if n := len(c.Mappings()); n != 0 {
			t.Errorf("%d mappings", n)
		}
		if p := c.Report().Problem; !strings.Contains(p, "The router refuses: no.") {
			t.Errorf("problem %q", p)
		}
		s.says(NATPMP, grant{external: outside("11.0.0.10:40002"), lifetime: time.Hour}, nil)
		pass(lostRetry)
		if m := c.Mappings(); len(m) != 1 || m[0].Protocol != NATPMP {
			t.Errorf("mappings %+v", m)
		}
		if got, want := states(c.Report()), "refused, mapped, no answer"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
	})
}

func TestClient_ForgetsARouterThatItLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}, nil)
		gateway, local, problem := netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("192.168.1.5"), error(nil)
		c := runScripted(t, s, Options{Gateway: func() (netip.Addr, netip.Addr, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return gateway, local, problem
		}})
		pass(time.Second)
		s.with(func() { problem = errors.New("the cable is out") })
		c.Renew()
		pass(time.Second)
		if r := c.Report(); len(c.Mappings()) != 0 || r.Gateway.IsValid() || r.Problem != "No port is mapped: the cable is out." {
			t.Errorf("mappings %+v, report %+v", c.Mappings(), r)
		}
		s.with(func() {
			gateway, local, problem = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.7"), nil
		})
		pass(firstRetry)
		if m := c.Mappings(); len(m) != 1 || m[0].Gateway != gateway || c.Report().Local != local {
			t.Errorf("mappings %+v, report %+v", m, c.Report())
		}
	})
}

func TestClient_AsksNoRouterThatIsNotOfAHome(t *testing.T) {
	for _, c := range []struct{ gateway, local, problem string }{
		{"203.0.113.1", "203.0.113.5", "needs no mapping"},
		{"203.0.113.1", "192.168.1.5", "not one of a home network"},
		{"127.0.0.1", "127.0.0.1", "not one of a home network"},
		{"224.0.0.1", "192.168.1.5", "not one of a home network"},
		{"fe80::1", "192.168.1.5", "not one of a home network"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScripted()
			r := runScripted(t, s, Options{Gateway: func() (netip.Addr, netip.Addr, error) {
				return netip.MustParseAddr(c.gateway), netip.MustParseAddr(c.local), nil
			}})
			pass(time.Hour)
			if p := r.Report().Problem; !strings.Contains(p, c.problem) || len(s.take()) > 0 {
				t.Errorf("%s: problem %q", c.gateway, p)
			}
		})
	}
}

func TestClient_SaysDoubleNAT(t *testing.T) {
	for _, address := range []string{"192.168.0.2", "10.0.0.1", "172.16.3.4", "100.64.1.1", "169.254.1.1", "192.0.0.2"} {
		synctest.Test(t, func(t *testing.T) {
			s := newScripted()
			s.says(PCP, grant{external: netip.AddrPortFrom(netip.MustParseAddr(address), 40000), lifetime: time.Hour}, nil)
			c := runScripted(t, s, Options{Verify: func(context.Context, Mapping) error { t.Error("verified"); return nil }})
			pass(0)
			m, r := c.Mappings(), c.Report()
			if len(m) != 1 || !m[0].DoubleNAT || !r.DoubleNAT || !strings.Contains(r.Problem, address) {
				t.Errorf("mappings %+v, report %+v", m, r)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{}, refused("no room"))
		s.says(NATPMP, grant{}, errNoAddress)
		c := runScripted(t, s, Options{})
		pass(0)
		if r := c.Report(); !r.DoubleNAT || r.External.IsValid() || !strings.Contains(r.Problem, "no public address") {
			t.Errorf("a router that says that it has no address: %+v", r)
		}
	})
}

func TestClient_VerifiesWhatIsNewUntilItIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		granted := grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}
		s.says(PCP, granted, nil)
		answer, asked := errors.New("nothing arrived"), 0
		c := runScripted(t, s, Options{Verify: func(context.Context, Mapping) (err error) {
			s.with(func() { asked, err = asked+1, answer })
			return err
		}})
		step := func(wantAsked int, wantUnverified string) {
			t.Helper()
			m := c.Mappings()
			if len(m) != 1 || m[0].Unverified != wantUnverified || asked != wantAsked {
				t.Errorf("mappings %+v, asked %d times; want %q, %d", m, asked, wantUnverified, wantAsked)
			}
			if p := c.Report().Problem; strings.Contains(p, "could not be confirmed") != (wantUnverified != "") {
				t.Errorf("problem %q", p)
			}
		}
		pass(0)
		step(1, "nothing arrived")
		pass(askEvery)
		step(2, "nothing arrived")
		s.with(func() { answer = nil })
		pass(askEvery)
		step(3, "")
		pass(askEvery)
		step(3, "")
		granted.restarted = true
		s.says(PCP, granted, nil)
		pass(askEvery)
		step(4, "")
		granted.restarted, granted.external = false, outside("11.0.0.11:40000")
		s.says(PCP, granted, nil)
		pass(askEvery)
		step(5, "")
	})
}

func TestClient_VerifyHasTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}, nil)
		c := runScripted(t, s, Options{Verify: func(ctx context.Context, _ Mapping) error {
			<-ctx.Done()
			return errors.New("it took too long")
		}})
		pass(time.Second)
		if m := c.Mappings(); len(m) != 1 || m[0].Unverified != "" {
			t.Errorf("while it is verified: %+v", m)
		}
		pass(verifyWait)
		if m := c.Mappings(); len(m) != 1 || m[0].Unverified != "it took too long" {
			t.Errorf("after: %+v", m)
		}
	})
}

// A router that restarts between the request for UDP and the one for TCP has lost
// the first mapping.
func TestClient_MapsAgainWhatARestartTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		restarted := true
		s.answers[PCP] = func(w wish) (grant, error) {
			g := grant{external: outside("11.0.0.10:40000"), internal: w.port, lifetime: time.Hour}
			if w.transport == TCP {
				g.restarted, restarted = restarted, false
			}
			return g, nil
		}
		runScripted(t, s, Options{TCP: true})
		pass(time.Second)
		wantJournal(t, s, "0s pcp udp", "0s pcp tcp", "0s pcp udp", "0s pcp tcp")
	})
}

func TestClient_TCPAloneMayFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.answers[PCP] = func(w wish) (grant, error) {
			if w.transport == TCP {
				return grant{}, refused("no TCP")
			}
			return grant{external: outside("11.0.0.10:40000"), internal: w.port, lifetime: time.Hour}, nil
		}
		c := runScripted(t, s, Options{TCP: true})
		pass(time.Second)
		if m := c.Mappings(); len(m) != 1 || m[0].Transport != UDP {
			t.Errorf("mappings %+v", m)
		}
	})
}

func TestClient_AsksForThePortItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		var wishes []uint16
		s.answers[PCP] = func(w wish) (grant, error) {
			wishes = append(wishes, w.suggestedPort())
			return grant{external: outside("11.0.0.10:50123"), internal: w.port, lifetime: time.Hour}, nil
		}
		runScripted(t, s, Options{})
		pass(askEvery)
		if !slices.Equal(wishes, []uint16{40000, 50123}) {
			t.Errorf("asked for %v", wishes)
		}
	})
}

func TestClient_EndsWhileItWaitsForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.delay = time.Hour
		c := runScripted(t, s, Options{})
		pass(time.Second)
		if took := c.stop(); took > 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestClient_TellsOnlyWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}, nil)
		c := runScripted(t, s, Options{})
		pass(0)
		<-c.changes
		pass(time.Hour)
		select {
		case <-c.changes:
			t.Error("a renewal was told as a change")
		default:
		}
	})
}

func TestNew_RefusesWhatCannotBe(t *testing.T) {
	for _, o := range []Options{{}, {Port: 1, Lifetime: time.Second}, {Port: 1, Lifetime: 48 * time.Hour}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestProbe_TriesEveryProtocolAndTakesEachMappingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		s.says(PCP, grant{external: outside("192.168.0.2:40000"), lifetime: time.Hour}, nil)
		s.says(UPnP, grant{external: outside("11.0.0.10:40000"), lifetime: time.Hour}, nil)
		r, err := Probe(t.Context(), Options{Port: 40000, Gateway: home, mappers: s.mappers})
		if err != nil || states(r) != "mapped, no answer, mapped" || r.DoubleNAT || r.Problem != "" || r.External != outside("11.0.0.10:1").Addr() {
			t.Errorf("%+v, %v", r, err)
		}
		wantJournal(t, s, "0s pcp udp", "0s pcp release udp 192.168.0.2:40000", "0s nat-pmp udp", "0s upnp udp", "0s upnp release udp 11.0.0.10:40000")
	})
}
