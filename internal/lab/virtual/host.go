package virtual

import (
	"net"
	"net/netip"
	"testing/synctest"

	"github.com/pion/transport/v4/vnet"
)

// Host is a machine with one address. It is a transport.Net.
type Host struct {
	*vnet.Net
	// Addr is its address in its own network.
	Addr netip.Addr

	world *World
}

// host makes one in a router's network.
func (w *World) host(r *vnet.Router, a netip.Addr) *Host {
	w.t.Helper()
	h := &Host{world: w, Addr: a}
	if a.Is6() { // vnet gives only IPv4 addresses by itself
		h.Net = w.net(a.String())
		w.check(r.AddNet(h.Net))
	} else {
		h.Net = w.net()
		h.join(r, a)
	}
	return h
}

// ListenPacket implements transport.Net. An address that is not specified is the
// host's family's: vnet has no sockets for both.
func (h *Host) ListenPacket(network, address string) (net.PacketConn, error) {
	if a, err := netip.ParseAddrPort(address); err == nil && a.Addr().IsUnspecified() && h.Addr.Is6() {
		address = netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port()).String()
	}
	return h.Net.ListenPacket(network, address)
}

// Move unplugs the host and plugs it in elsewhere, where it has another address.
// Its sockets stay open; those bound to the old address are dead. Packets under
// way to the old address are lost. IPv4 only, and only inside a bubble: vnet
// reads a host's addresses without a lock, so all others must be at rest.
func (h *Host) Move(to *Network) {
	h.world.t.Helper()
	synctest.Wait()
	h.world.check(h.RemoveAddress(nic, h.Addr.AsSlice()))
	h.Addr = to.address()
	h.join(to.inner, h.Addr)
}

// nic is the name vnet gives a host's one interface.
const nic = "eth0"

// join makes a router the host's own. vnet gives a host that comes an address of
// the router's choice; it is replaced.
func (h *Host) join(r *vnet.Router, a netip.Addr) {
	h.world.t.Helper()
	h.world.check(r.AddNet(h.Net))
	eth, err := h.InterfaceByName(nic)
	h.world.check(err)
	given, err := eth.Addrs()
	h.world.check(err)
	for _, g := range append([]net.Addr(nil), given...) {
		ip, ok := g.(*net.IPNet)
		if !ok {
			h.world.t.Fatalf("virtual network: the address %v is a %T", g, g)
		}
		h.world.check(h.RemoveAddress(nic, ip.IP))
	}
	h.world.check(h.AddAddress(nic, &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(24, 32)}))
}
