package portmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
				s := start(t, Options{Port: port, TCP: true, Verify: func(ctx context.Context, m Mapping) error {
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
				if took := s.stop(); took > 2*time.Second {
					t.Errorf("it took %s to stop", took)
				}
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
