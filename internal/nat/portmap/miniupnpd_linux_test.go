package portmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// dropPCP drops requests whose first byte is PCP's version.
const dropPCP = "udp dport 5351 @th,64,8 2 drop"

// listen opens a socket of the device.
func listen(t *testing.T) (conn *net.UDPConn, port uint16) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(homeDevice)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// Each protocol maps the port on a router that speaks it, and not those before it,
// packets from the internet arrive, and nothing is left when the client stops.
func TestMiniupnpd_MapsByEachProtocol(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		for _, c := range []struct {
			protocol Protocol
			input    string
			settings []string
			before   State // of the protocols tried before
		}{
			{PCP, "", []string{"enable_natpmp=yes", "enable_upnp=yes"}, NotTried},
			{NATPMP, dropPCP, []string{"enable_natpmp=yes", "enable_upnp=yes"}, NoAnswer},
			{UPnP, "", []string{"enable_natpmp=no", "enable_upnp=yes"}, NoAnswer},
			{UPnP, "", []string{"enable_natpmp=no", "enable_upnp=yes", "force_igd_desc_v1=yes"}, NoAnswer},
		} {
			t.Run(string(c.protocol), func(t *testing.T) {
				r.restart(t, c.input, c.settings...)
				conn, port := listen(t)
				s := start(t, Options{Port: port, TCP: true, mappers: patient(c.protocol), release: patience, Verify: func(ctx context.Context, m Mapping) error {
					if m.Transport == TCP {
						return errors.New("nobody listens")
					}
					r.send(t, m.External, "hello")
					return receive(ctx, conn, "hello")
				}})
				begin := time.Now()
				s.wait(t, "two mappings, verified", func() bool {
					m := s.Mappings()
					return len(m) == 2 && m[1].Unverified != ""
				})
				t.Logf("mapped and verified in %s", time.Since(begin))
				for i, m := range s.Mappings() {
					left := time.Until(m.Expires)
					want := Mapping{
						Protocol: c.protocol, Transport: []string{UDP, TCP}[i], Internal: port, Expires: m.Expires,
						External: netip.AddrPortFrom(netip.MustParseAddr(publicRouter), port),
						Gateway:  netip.MustParseAddr(homeRouter), Unverified: []string{"", "nobody listens"}[i],
					}
					if m != want || left > defaultLifetime || left < defaultLifetime-patience {
						t.Errorf("mapping %+v, lasts %s; want %+v", m, left, want)
					}
				}
				report := s.Report()
				if report.DoubleNAT || report.External != netip.MustParseAddr(publicRouter) || report.Local != netip.MustParseAddr(homeDevice) {
					t.Errorf("report %+v", report)
				}
				if report.Problem != "" {
					t.Errorf("problem %q, though the UDP port works", report.Problem)
				}
				for _, p := range report.Protocols {
					want := Mapped
					if p.Protocol != c.protocol {
						want = NotTried
						if isBefore(p.Protocol, c.protocol) {
							want = c.before
						}
					}
					if p.State != want {
						t.Errorf("%s: %s (%s), want %s", p.Protocol, p.State, p.Detail, want)
					}
				}
				if n := strings.Count(r.mapped(t), "dnat"); n != 2 {
					t.Errorf("the router has %d rules:\n%s", n, r.mapped(t))
				}
				s.stop()
				if rules := r.mapped(t); strings.Contains(rules, "dnat") {
					t.Errorf("left on the router:\n%s", rules)
				}
			})
		}
	})
}

func isBefore(a, b Protocol) bool {
	order := fmt.Sprint(PCP, NATPMP, UPnP)
	return strings.Index(order, string(a)) < strings.Index(order, string(b))
}

// receive waits for a packet.
func receive(ctx context.Context, conn *net.UDPConn, want string) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()
	p := make([]byte, 100)
	n, _, err := conn.ReadFromUDPAddrPort(p)
	if err == nil && string(p[:n]) != want {
		err = fmt.Errorf("received %q", p[:n])
	}
	return err
}

// A router that restarted, and forgot everything, has the mapping again as soon as it
// is asked; while it is down the mapping stands.
func TestMiniupnpd_MapsAgainAfterTheRouterRestarted(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		for _, c := range []struct {
			protocol Protocol
			input    string
			settings []string
		}{
			{PCP, "", []string{"enable_natpmp=yes", "enable_upnp=no"}},
			{NATPMP, dropPCP, []string{"enable_natpmp=yes", "enable_upnp=no"}},
			{UPnP, "", []string{"enable_natpmp=no", "enable_upnp=yes"}},
		} {
			t.Run(string(c.protocol), func(t *testing.T) {
				r.restart(t, c.input, c.settings...)
				_, port := listen(t)
				s := start(t, Options{Port: port, mappers: patient(c.protocol)})
				s.wait(t, "a mapping", func() bool { return len(s.Mappings()) == 1 })
				r.halt()
				s.Renew()
				s.wait(t, "notice of the silence", func() bool { return !s.Report().has(Mapped) })
				if n := len(s.Mappings()); n != 1 {
					t.Errorf("%d mappings while the router restarts", n)
				}
				r.restart(t, c.input, c.settings...)
				if strings.Contains(r.mapped(t), "dnat") {
					t.Fatal("the router did not forget")
				}
				s.Renew()
				s.wait(t, "a mapping again", func() bool { return s.Report().has(Mapped) })
				if m := s.Mappings(); len(m) != 1 || m[0].Protocol != c.protocol || !strings.Contains(r.mapped(t), "dnat") {
					t.Errorf("mappings %+v; the router has\n%s", m, r.mapped(t))
				}
			})
		}
	})
}

// A router whose own address is another router's says that it has none.
func TestMiniupnpd_SaysDoubleNAT(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		run(t, "ip", "-n", r.name, "addr", "replace", "100.64.0.2/24", "dev", "wan")
		run(t, "ip", "-n", r.name, "addr", "del", publicRouter+"/24", "dev", "wan")
		r.restart(t, "", "enable_natpmp=yes", "enable_upnp=yes")
		_, port := listen(t)
		s := start(t, Options{Port: port, mappers: patient(PCP, NATPMP, UPnP)})
		s.wait(t, "an answer", func() bool { return s.Report().Problem != "" })
		report := s.Report()
		if !report.DoubleNAT || !strings.Contains(report.Problem, "no public address of its own") || states(report) != "refused, refused, refused" {
			t.Errorf("report %+v", report)
		}
	})
}

// A router that does not allow a port says so. By UPnP: asked by PCP, this daemon looks
// for another port for ever.
func TestMiniupnpd_SaysThatAPortIsNotAllowed(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		r.restart(t, "", "enable_natpmp=no", "enable_upnp=yes")
		s := start(t, Options{Port: 80, mappers: patient(UPnP)})
		s.wait(t, "an answer", func() bool { return s.Report().Problem != "" })
		report := s.Report()
		if states(report) != "no answer, no answer, refused" || report.DoubleNAT || !strings.Contains(report.Problem, "forward UDP port 80 to "+homeDevice) {
			t.Errorf("report %+v", report)
		}
		t.Log(report.Problem)
	})
}

// A client that stops while its router is gone ends all the same. How long it waits is
// tested in virtual time.
func TestMiniupnpd_AClientThatLostItsRouterStops(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		for _, input := range []string{"", dropPCP} {
			r.restart(t, input, "enable_natpmp=yes", "enable_upnp=no")
			_, port := listen(t)
			protocol := PCP
			if input == dropPCP {
				protocol = NATPMP
			}
			s := start(t, Options{Port: port, TCP: true, mappers: patient(protocol)})
			s.wait(t, "mappings", func() bool { return len(s.Mappings()) == 2 })
			run(t, "ip", "-n", r.name, "link", "set", "lan", "down")
			s.Renew()
			s.stop()
			run(t, "ip", "-n", r.name, "link", "set", "lan", "up")
		}
	})
}

// Another device's port is not taken away: the router gives another, or we choose one.
func TestMiniupnpd_LeavesAPortThatAnotherHas(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		run(t, "ip", "addr", "add", otherDevice+"/24", "dev", "eth0")
		for _, c := range []struct {
			protocol Protocol
			settings []string
		}{
			{PCP, []string{"enable_natpmp=yes", "enable_upnp=no"}},
			{NATPMP, []string{"enable_natpmp=yes", "enable_upnp=no"}},
			{UPnP, []string{"enable_natpmp=no", "enable_upnp=yes"}},
		} {
			t.Run(string(c.protocol), func(t *testing.T) {
				r.restart(t, "", c.settings...)
				var mappers []mapper
				var grants []grant
				for _, local := range []string{homeDevice, otherDevice} {
					ways := patient(c.protocol)(netip.MustParseAddr(homeRouter), netip.MustParseAddr(local), []byte("secret"))
					m := ways[slices.IndexFunc(ways, func(w way) bool { return w.protocol == c.protocol })].mapper
					g, err := m.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
					if err != nil || g.internal != 40000 {
						t.Fatalf("%s: %+v, %v", local, g, err)
					}
					mappers, grants = append(mappers, m), append(grants, g)
				}
				if grants[0].external.Port() != 40000 || grants[1].external.Port() == 40000 {
					t.Errorf("grants %+v", grants)
				}
				again, err := mappers[1].request(t.Context(), wish{transport: UDP, port: 40000, external: grants[1].external, lifetime: time.Hour})
				if err != nil || again.external != grants[1].external {
					t.Errorf("renewed: %+v, %v; want %s", again, err, grants[1].external)
				}
				for i, m := range mappers {
					if err := m.release(t.Context(), UDP, grants[i]); err != nil {
						t.Error(err)
					}
				}
				if rules := r.mapped(t); strings.Contains(rules, "dnat") {
					t.Errorf("left on the router:\n%s", rules)
				}
			})
		}
	})
}

// A process that was killed finds its mapping again.
func TestMiniupnpd_AProcessThatWasKilledFindsItsMappingAgain(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		r.restart(t, "", "enable_natpmp=yes", "enable_upnp=no")
		killed := newPCP(netip.AddrPortFrom(netip.MustParseAddr(homeRouter), controlPort), netip.MustParseAddr(homeDevice), []byte("secret"))
		killed.wait = 2 * time.Second
		left, err := killed.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, Options{Port: 40000, Secret: []byte("secret"), mappers: patient(PCP)})
		s.wait(t, "a mapping", func() bool { return len(s.Mappings()) == 1 })
		if m := s.Mappings()[0]; m.Protocol != PCP || m.External != left.external || strings.Count(r.mapped(t), "dnat") != 1 {
			t.Errorf("%+v, not %s; the router has\n%s", m, left.external, r.mapped(t))
		}
	})
}

func TestMiniupnpd_ProbeSaysWhatTheRouterSpeaks(t *testing.T) {
	atHome(t, func(t *testing.T, r *router) {
		for _, c := range []struct {
			want     string
			settings []string
			answers  []Protocol
		}{
			{"mapped, mapped, mapped", []string{"enable_natpmp=yes", "enable_upnp=yes"}, []Protocol{PCP, NATPMP, UPnP}},
			{"no answer, no answer, mapped", []string{"enable_natpmp=no", "enable_upnp=yes"}, []Protocol{UPnP}},
			{"mapped, mapped, no answer", []string{"enable_natpmp=yes", "enable_upnp=no"}, []Protocol{PCP, NATPMP}},
		} {
			r.restart(t, "", c.settings...)
			report, err := Probe(t.Context(), Options{Port: 40000, mappers: patient(c.answers...), release: patience})
			if err != nil || states(report) != c.want || report.Problem != "" || strings.Contains(r.mapped(t), "dnat") {
				t.Errorf("%v: %+v, %v; the router has\n%s", c.settings, report, err, r.mapped(t))
			}
		}
	})
}
