package virtual

import (
	"net"
	"net/netip"
	"sync"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
)

// portMapping is a mapping of one UDP port at a network's router, as PCP or UPnP
// asks for it. vnet has none, so it is a second router beside the first, with an
// address of its own: it lets anyone send to the one port, and what the host
// answers to those it leads out again by itself, as a router that remembers
// connections does. Whatever else the host sends from that port takes the first
// router's way, and is seen as another port where that one is Symmetric.
type portMapping struct {
	// Constant after construction.
	internal, external netip.AddrPort
	blocked            bool
	back               transport.UDPConn // the way out of the second router

	mu     sync.Mutex
	guests map[netip.AddrPort]bool // who has sent to the port
}

// Map maps a UDP port of a host of this network, and returns its public address:
// public as far as the network its router is in is. To be called before the
// host has sent anything.
func (n *Network) Map(h *Host, port uint16) netip.AddrPort {
	w := n.world
	w.t.Helper()
	if n.Kind.natType() == nil {
		w.t.Fatalf("virtual network: a %s network has no router that could map a port", n.Kind)
	}
	external := n.external()
	second := w.router(vnet.RouterConfig{
		CIDR:      n.prefix.String(),
		StaticIPs: []string{external.String() + "/" + h.Addr.String()},
		NATType:   &vnet.NATType{Mode: vnet.NATModeNAT1To1},
	})
	w.check(n.outer.AddRouter(second))
	double := w.net(h.Addr.String())
	w.check(second.AddNet(double))
	m := &portMapping{
		internal: netip.AddrPortFrom(h.Addr, port), external: netip.AddrPortFrom(external, port),
		blocked: n.Kind == Blocked, guests: map[netip.AddrPort]bool{},
	}
	var err error
	m.back, err = double.ListenUDP("udp4", net.UDPAddrFromAddrPort(m.internal))
	w.check(err)
	second.AddChunkFilter(m.in)
	n.inner.AddChunkFilter(m.out)
	h.join(second, h.Addr) // so that packets from outside reach the host
	h.join(n.inner, h.Addr)
	w.check(second.Start())
	return m.external
}

// in is the second router's filter.
func (m *portMapping) in(c vnet.Chunk) bool {
	from, to := ends(c)
	if from == m.internal {
		return true
	}
	if to != m.internal || m.blocked {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.guests[from] = true
	return true
}

// out is the first router's filter.
func (m *portMapping) out(c vnet.Chunk) bool {
	from, to := ends(c)
	if from != m.internal {
		return true
	}
	m.mu.Lock()
	guest := m.guests[to]
	m.mu.Unlock()
	if guest {
		_, _ = m.back.WriteTo(c.UserData(), net.UDPAddrFromAddrPort(to)) // UDP
	}
	return !guest
}
