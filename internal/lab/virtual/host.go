package virtual

import (
	"net"
	"net/netip"
	"sync"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
)

// Host is a machine with one address. It is a transport.Net.
type Host struct {
	*vnet.Net
	// Addr is its address in its own network.
	Addr netip.Addr

	world  *World
	moving sync.RWMutex // guards what vnet reads without a lock: addresses and router
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
	a, err := h.ResolveUDPAddr(network, address)
	if err != nil {
		return nil, err
	}
	return h.ListenUDP(network, a)
}

// ListenUDP implements transport.Net.
func (h *Host) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	if a != nil && a.IP.IsUnspecified() && h.Addr.Is6() {
		a = &net.UDPAddr{IP: net.IPv6unspecified, Port: a.Port}
	}
	h.moving.RLock()
	defer h.moving.RUnlock()
	c, err := h.Net.ListenUDP(network, a)
	if err != nil {
		return nil, err
	}
	return &socket{c, h}, nil
}

// Interfaces implements transport.Net.
func (h *Host) Interfaces() ([]*transport.Interface, error) {
	h.moving.RLock()
	defer h.moving.RUnlock()
	all, err := h.Net.Interfaces()
	if err != nil {
		return nil, err
	}
	out := make([]*transport.Interface, len(all))
	for i, f := range all {
		out[i] = transport.NewInterface(f.Interface)
		addrs, err := f.Addrs()
		if err != nil {
			continue // none
		}
		for _, a := range addrs {
			out[i].AddAddress(a)
		}
	}
	return out, nil
}

// Move unplugs the host and plugs it in elsewhere, where it has another address.
// Its sockets stay open; those bound to the old address are dead. Packets under
// way to the old address are lost. IPv4 only, and only inside a bubble: vnet
// reads a host's addresses without a lock, so all others must be at rest.
func (h *Host) Move(to *Network) {
	h.world.t.Helper()
	h.moving.Lock()
	defer h.moving.Unlock()
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
