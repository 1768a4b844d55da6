package virtual

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

const oneWay = 20 * time.Millisecond

// testSocket is a UDP socket of a host.
type testSocket struct {
	net.PacketConn
	t *testing.T
}

func (h *Host) socket(t *testing.T, port uint16) *testSocket {
	t.Helper()
	c, err := h.ListenPacket("udp", netip.AddrPortFrom(h.Addr, port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &testSocket{c, t}
}

func (s *testSocket) addr() netip.AddrPort { return addrPort(s.LocalAddr()) }

func (s *testSocket) send(to netip.AddrPort) {
	s.t.Helper()
	if _, err := s.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(to)); err != nil {
		s.t.Fatal(err)
	}
}

// receive returns where the next packet comes from; no address if none comes
// within a second.
func (s *testSocket) receive() netip.AddrPort {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		s.t.Fatal(err)
	}
	_, from, err := s.ReadFrom(make([]byte, 100))
	if err != nil {
		return netip.AddrPort{}
	}
	return addrPort(from)
}

// reaches reports whether a packet gets from one socket to an address where the
// other one should receive it.
func (s *testSocket) reaches(to netip.AddrPort, other *testSocket) bool {
	s.t.Helper()
	s.send(to)
	return other.receive().IsValid()
}

// inBubble runs f in a world of virtual time.
func inBubble(t *testing.T, f func(t *testing.T, w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, New(t, oneWay)) })
}

func TestNetwork_MapsAndFiltersAsItsKindSays(t *testing.T) {
	for _, tt := range []struct {
		kind                              Kind
		samePort                          bool // the same port for two servers
		byStranger, byAddress, byEndpoint bool // who may send to it
	}{
		{Public, true, true, true, true},
		{FullCone, true, true, true, true},
		{AddressRestricted, true, false, true, true},
		{PortRestricted, true, false, false, true},
		{CGNAT, true, false, false, true},
		{Symmetric, false, false, false, true},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *World) {
				one, two, three := w.Server(), w.Server(), w.Server()
				a, a2, b, stranger := one.socket(t, 3478), one.socket(t, 3479), two.socket(t, 3478), three.socket(t, 3478)
				s := w.Network(tt.kind, NetworkOptions{}).Host().socket(t, 5000)
				s.send(a.addr())
				start := time.Now()
				mapped := a.receive()
				if d := time.Since(start); d != oneWay {
					t.Errorf("a packet took %v, want %v", d, oneWay)
				}
				s.send(b.addr())
				if got := b.receive() == mapped; got != tt.samePort {
					t.Errorf("the same port for two servers: %v", got)
				}
				if public := mapped == s.addr(); public != (tt.kind == Public) {
					t.Errorf("%v is seen as %v", s.addr(), mapped)
				}
				for _, who := range []struct {
					name string
					from *testSocket
					want bool
				}{
					{"stranger", stranger, tt.byStranger},
					{"another port of a server", a2, tt.byAddress},
					{"the server", a, tt.byEndpoint},
				} {
					if got := who.from.reaches(mapped, s); got != who.want {
						t.Errorf("%s gets through: %v", who.name, got)
					}
				}
			})
		})
	}
}

func TestNetwork_BlockedLetsNothingThroughButTalksWithin(t *testing.T) {
	inBubble(t, func(t *testing.T, w *World) {
		n := w.Network(Blocked, NetworkOptions{})
		host, neighbour := n.Host(), n.Host()
		s, server := host.socket(t, 5000), w.Server().socket(t, 3478)
		if s.reaches(server.addr(), server) {
			t.Error("UDP gets out")
		}
		if near := neighbour.socket(t, 5000); !s.reaches(near.addr(), near) {
			t.Error("the neighbour cannot be reached")
		}
		if mapped := n.Map(n.Host(), 5000); server.reaches(mapped, s) {
			t.Error("UDP gets in by a mapping")
		}
	})
}

func TestNetwork_IPv6FirewallLetsOnlyAnswersIn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *World) {
		a := w.Network(IPv6, NetworkOptions{}).Host().socket(t, 5000)
		b := w.Network(IPv6, NetworkOptions{}).Host().socket(t, 5000)
		if a.reaches(b.addr(), b) {
			t.Error("a stranger gets in")
		}
		if !b.reaches(a.addr(), a) {
			t.Error("b was sent to by a, but does not reach it")
		}
		if !a.reaches(b.addr(), b) {
			t.Error("a does not get through to b, which sent to it")
		}
	})
}

func TestNetwork_Hairpin(t *testing.T) {
	for _, no := range []bool{false, true} {
		inBubble(t, func(t *testing.T, w *World) {
			n := w.Network(FullCone, NetworkOptions{NoHairpin: no, Isolated: true})
			server := w.Server().socket(t, 3478)
			camera := n.Host()
			mapping := n.Map(camera, 6000)
			s, viewer := camera.socket(t, 5000), n.Host().socket(t, 5000)
			m := camera.socket(t, 6000)
			if viewer.reaches(s.addr(), s) {
				t.Error("isolated hosts reach each other")
			}
			s.send(server.addr())
			if got := viewer.reaches(server.receive(), s); got == no {
				t.Errorf("no hairpin %v: a host reaches another by its public address: %v", no, got)
			}
			if got := viewer.reaches(mapping, m); got == no {
				t.Errorf("no hairpin %v: a host reaches another by its mapped port: %v", no, got)
			}
		})
	}
}

func TestCarrier_TwoHomesBehindIt(t *testing.T) {
	for _, no := range []bool{false, true} {
		inBubble(t, func(t *testing.T, w *World) {
			carrier := w.Carrier(NetworkOptions{NoHairpin: no})
			server := w.Server().socket(t, 3478)
			a := w.Network(CGNAT, NetworkOptions{Carrier: carrier}).Host().socket(t, 5000)
			b := w.Network(CGNAT, NetworkOptions{Carrier: carrier}).Host().socket(t, 5000)
			a.send(server.addr())
			outerA := server.receive()
			b.send(server.addr())
			outerB := server.receive()
			if outerA.Addr() != outerB.Addr() {
				t.Fatalf("%v and %v are two addresses", outerA, outerB)
			}
			a.send(outerB)
			if got := b.reaches(outerA, a); got == no {
				t.Errorf("no hairpin %v: one home reaches the other: %v", no, got)
			}
		})
	}
}

func TestMap_LetsStrangersInAndAnswersLeaveByIt(t *testing.T) {
	for _, kind := range []Kind{FullCone, AddressRestricted, PortRestricted, Symmetric} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *World) {
				n := w.Network(kind, NetworkOptions{})
				camera := n.Host()
				mapped := n.Map(camera, 5000)
				s, server := camera.socket(t, 5000), w.Server().socket(t, 3478)
				stranger := w.Network(Symmetric, NetworkOptions{}).Host().socket(t, 5000)
				s.send(server.addr())
				if seen := server.receive(); seen.Addr() == mapped.Addr() {
					t.Error("what the host sends by itself leaves by the mapping")
				}
				stranger.send(mapped)
				from := s.receive()
				if !from.IsValid() {
					t.Fatal("a stranger does not get in")
				}
				s.send(from)
				if got := stranger.receive(); got != mapped {
					t.Errorf("the answer comes from %v, want %v", got, mapped)
				}
				if stranger.send(netip.AddrPortFrom(mapped.Addr(), 5001)); s.receive().IsValid() {
					t.Error("a port gets in that is not mapped")
				}
			})
		})
	}
}

func TestHost_MovesAndKeepsItsSockets(t *testing.T) {
	inBubble(t, func(t *testing.T, w *World) {
		server := w.Server().socket(t, 3478)
		h := w.Network(PortRestricted, NetworkOptions{}).Host()
		c, err := h.ListenPacket("udp4", "0.0.0.0:5000")
		if err != nil {
			t.Fatal(err)
		}
		s := &testSocket{c, t}
		defer func() { _ = c.Close() }()
		s.send(server.addr())
		before := server.receive()
		for _, next := range []Kind{Symmetric, Public, PortRestricted} {
			h.Move(w.Network(next, NetworkOptions{}))
			if server.reaches(before, s) {
				t.Error("the old address still works")
			}
			s.send(server.addr())
			after := server.receive()
			if !after.IsValid() || after.Addr() == before.Addr() {
				t.Fatalf("seen as %v after the move, %v before", after, before)
			}
			if !server.reaches(after, s) {
				t.Error("no answer arrives")
			}
			before = after
		}
	})
}

func TestWorld_LosesWhatItIsToldTo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *World) {
		a, b := w.Server().socket(t, 1000), w.Server().socket(t, 1000)
		w.Lose(0.1)
		for range 1000 {
			a.send(b.addr())
		}
		n := 0
		for b.receive().IsValid() {
			n++
		}
		if n < 870 || n > 930 {
			t.Errorf("%d of 1000 packets arrived at 10 %% loss", n)
		}
		w.Lose(0)
		w.Cut()
		if a.reaches(b.addr(), b) {
			t.Error("a packet crosses the cut")
		}
		w.Mend()
		if !a.reaches(b.addr(), b) {
			t.Error("nothing arrives after the repair")
		}
	})
}
