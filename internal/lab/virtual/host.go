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
	c := &vnet.NetConfig{}
	if a.Is6() {
		c.StaticIPs = []string{a.String()} // vnet gives only IPv4 addresses by itself
	}
	var err error
	h.Net, err = vnet.NewNet(c)
	w.check(err)
	if a.Is6() {
		w.check(r.AddNet(h.Net))
	} else {
		h.join(r, a)
	}
	return h
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
