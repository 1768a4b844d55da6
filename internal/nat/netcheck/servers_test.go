package netcheck

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/signaling"
)

// examine checks a network with the given servers.
func examine(t *testing.T, kind virtual.Kind, serve func(t *testing.T, w *virtual.World) []signaling.ICEServer, check func(t *testing.T, r Report)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := virtual.New(t, oneWay)
		servers := serve(t, w)
		check(t, Check(t.Context(), Options{
			Servers: servers, Net: w.Network(kind, virtual.NetworkOptions{}).Host(),
			Resolve: func(context.Context, string) ([]net.IP, error) { return nil, errors.New("there are no names here") },
		}))
	})
}

func TestCheck_TwoPlainServersTellTheMappingButNotTheFiltering(t *testing.T) {
	for kind, want := range map[virtual.Kind]nat.Behaviour{virtual.FullCone: nat.EndpointIndependent, virtual.Symmetric: nat.AddressPortDependent} {
		examine(t, kind, func(_ *testing.T, w *virtual.World) []signaling.ICEServer {
			return []signaling.ICEServer{{URLs: []string{
				"stun:" + w.Server().ServeSTUN().String(), "stun:" + w.Server().ServeSTUN().String(),
			}}}
		}, func(t *testing.T, r Report) {
			if got := r.IPv4.Mapping; got.Kind != want {
				t.Errorf("%s: the mapping is %+v", kind, got)
			}
			if got := r.IPv4.Filtering; got.Kind != nat.BehaviourUnknown || got.Reason == "" {
				t.Errorf("%s: the filtering is %+v", kind, got)
			}
		})
	}
}

func TestCheck_OneServerWithTwoPortsIsNotCertainOfMuch(t *testing.T) {
	for kind, want := range map[virtual.Kind][2]Measured{
		virtual.FullCone:  {{Kind: nat.EndpointIndependent}, {Kind: nat.AddressDependent}},
		virtual.Symmetric: {{Kind: nat.AddressPortDependent, Certain: true}, {Kind: nat.AddressPortDependent, Certain: true}},
	} {
		examine(t, kind, func(t *testing.T, w *virtual.World) []signaling.ICEServer {
			h := w.Server()
			s := &twoFaced{}
			for j, port := range []uint16{3478, 3479} {
				s.conns[0][j] = at(t, h)(port)
				s.addrs[0][j] = unmapped(s.conns[0][j].LocalAddr().(*net.UDPAddr).AddrPort())
				s.conns[1][j], s.addrs[1][j] = s.conns[0][j], s.addrs[0][j]
			}
			s.start(t, 1)
			return []signaling.ICEServer{{URLs: []string{"stun:" + s.addrs[0][0].String()}}}
		}, func(t *testing.T, r Report) {
			for i, got := range []Measured{r.IPv4.Mapping, r.IPv4.Filtering} {
				if got.Kind != want[i].Kind || got.Certain != want[i].Certain {
					t.Errorf("%s: %+v instead of %+v", kind, got, want[i])
				}
			}
		})
	}
}

func TestCheck_AServerThatIgnoresChangeRequestsTellsNothingOfTheFiltering(t *testing.T) {
	examine(t, virtual.FullCone, func(t *testing.T, w *virtual.World) []signaling.ICEServer {
		s, server := stunService(t, w)
		s.stuck = true
		return []signaling.ICEServer{server}
	}, func(t *testing.T, r Report) {
		if got := r.IPv4.Filtering; got.Kind != nat.BehaviourUnknown || got.Reason == "" {
			t.Errorf("the filtering is %+v", got)
		}
		if r.IPv4.Mapping.Kind != nat.EndpointIndependent {
			t.Errorf("the mapping is %+v", r.IPv4.Mapping)
		}
	})
}

func TestCheck_ADeadServerAmongOthersIsNamedAndNothingElse(t *testing.T) {
	examine(t, virtual.PortRestricted, func(t *testing.T, w *virtual.World) []signaling.ICEServer {
		_, alive := stunService(t, w)
		dead := "stun:" + w.Server().Addr.String() + ":3478"
		return []signaling.ICEServer{{URLs: []string{dead, "stun:nobody.invalid", "stun:[nonsense"}}, alive}
	}, func(t *testing.T, r Report) {
		if r.UDP != nat.UDPOpen || r.IPv4.Filtering.Kind != nat.AddressPortDependent {
			t.Errorf("%s, filtering %+v", r.UDP, r.IPv4.Filtering)
		}
		problems := 0
		for _, s := range r.STUN {
			if s.Problem != "" {
				problems++
			}
		}
		if problems != 3 || len(r.STUN) != 4 {
			t.Errorf("of the servers: %+v", r.STUN)
		}
	})
}

func TestCheck_ARefusedLoginIsSaid(t *testing.T) {
	examine(t, virtual.FullCone, func(_ *testing.T, w *virtual.World) []signaling.ICEServer {
		url := "turn:" + w.Server().ServeTURN().String()
		return []signaling.ICEServer{
			{URLs: []string{url}},
			{URLs: []string{url + "?transport=udp"}, Username: virtual.TURNUser, Credential: "wrong"},
		}
	}, func(t *testing.T, r Report) {
		for _, l := range r.Relays {
			if !l.Reachable || l.Usable || l.Problem == "" {
				t.Errorf("the relay: %+v", l)
			}
		}
		if r.UDP != nat.UDPOpen {
			t.Errorf("UDP is %s, though a relay answered over it", r.UDP)
		}
	})
}

func TestCheck_TooManyServersAreNotAsked(t *testing.T) {
	examine(t, virtual.FullCone, func(_ *testing.T, w *virtual.World) []signaling.ICEServer {
		var list []signaling.ICEServer
		for range 3 * maxServers {
			a := w.Server().Addr.String()
			list = append(list, signaling.ICEServer{URLs: []string{"stun:" + a, "turn:" + a}})
		}
		return list
	}, func(t *testing.T, r Report) {
		if len(r.STUN) != maxServers || len(r.Relays) != maxServers {
			t.Errorf("%d STUN servers and %d relays were asked", len(r.STUN), len(r.Relays))
		}
	})
}

// A STUN server on the LAN sees the LAN.
func TestReport_ClaimsNothingAboutTheInternetFromWithin(t *testing.T) {
	for _, seen := range []string{"192.168.1.5", "100.64.1.1", "127.0.0.1"} {
		r := Report{UDP: nat.UDPOpen, IPv4: Family{
			Public: []netip.Addr{netip.MustParseAddr(seen)}, NAT: No,
			Mapping: certain(nat.EndpointIndependent), Filtering: certain(nat.EndpointIndependent),
		}}
		if v := r.Verdict(); !strings.Contains(v, "elsewhere was not examined") {
			t.Errorf("%s: %s", seen, v)
		}
		for _, f := range r.Explain() {
			if f.Topic == "Router" || f.Topic == "Firewall" {
				t.Errorf("%s: %+v", seen, f)
			}
		}
	}
}

// A server, or this machine, that stands still for seconds is no router that lets
// nothing in: the same is found out as without that, whenever it happens.
func TestCheck_WhoStandsStillForAWhileIsNotTakenForARouter(t *testing.T) {
	for kind, want := range map[virtual.Kind]nat.Behaviour{
		virtual.FullCone: nat.EndpointIndependent, virtual.AddressRestricted: nat.AddressDependent, virtual.PortRestricted: nat.AddressPortDependent,
	} {
		for question := 1; question <= 12; question++ {
			examine(t, kind, func(t *testing.T, w *virtual.World) []signaling.ICEServer {
				s, server := stunService(t, w)
				s.pauses = map[int]time.Duration{question: 3 * time.Second}
				return []signaling.ICEServer{server}
			}, func(t *testing.T, r Report) {
				f := r.IPv4
				if f.Mapping != certain(nat.EndpointIndependent) || f.Filtering != certain(want) || f.NAT != Yes || f.Hairpin != Yes {
					t.Errorf("%s, with a pause at question %d: %+v", kind, question, f)
				}
			})
		}
	}
}

// A server that goes silent for good in between proves nothing by it.
func TestCheck_AServerThatGoesAwayProvesNothing(t *testing.T) {
	examine(t, virtual.FullCone, func(t *testing.T, w *virtual.World) []signaling.ICEServer {
		s, server := stunService(t, w)
		s.pauses = map[int]time.Duration{2: time.Minute}
		return []signaling.ICEServer{server}
	}, func(t *testing.T, r Report) {
		if f := r.IPv4; r.UDP != nat.UDPOpen || f.Filtering.Kind != nat.BehaviourUnknown || f.Filtering.Reason == "" || f.Hairpin == No {
			t.Errorf("%s, %+v", r.UDP, f)
		}
	})
}

// What nobody answers takes its time, and no longer.
func TestCheck_EndsSoonWhenEverythingIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := virtual.New(t, oneWay)
		dead := w.Server().Addr.String()
		start := time.Now()
		r := Check(t.Context(), Options{
			Servers: []signaling.ICEServer{{URLs: []string{"stun:" + dead, "turn:" + dead, "turn:" + dead + "?transport=tcp", "turns:" + dead}}},
			Signal:  "wss://" + dead, Net: w.Network(virtual.Blocked, virtual.NetworkOptions{}).Host(), Dial: newSwitchboard().dial,
		})
		if took := time.Since(start); took > patience+100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if r.UDP != nat.UDPUnknown || r.Signal.Problem == "" || len(r.Relays) != 3 || r.Relays[0].Problem == "" || r.Relays[2].Problem == "" {
			t.Errorf("found %+v", r)
		}
	})
}
