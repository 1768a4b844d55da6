package virtual

import (
	"net/netip"

	"github.com/pion/transport/v4/vnet"
)

// NetworkOptions say what a network is like beyond its kind.
type NetworkOptions struct {
	// NoHairpin makes the router (with CGNAT, the home's) not send packets back
	// in that one of its own hosts sends to its public address.
	NoHairpin bool
	// Isolated keeps the hosts from talking to each other within the network, as
	// Wi-Fi for guests does.
	Isolated bool
	// Carrier is the network that a home with CGNAT is in; one of its own if nil.
	Carrier *Network
}

// Network is a home with hosts in it, behind a router of some kind. Only the
// test's goroutine uses it.
type Network struct {
	// Constant after construction.
	Kind    Kind
	world   *World
	carrier *Network
	outer   *vnet.Router // the network its router is in; the internet, as a rule
	inner   *vnet.Router // its own; the internet where it has no router
	prefix  netip.Prefix // of its hosts; none where they are on the IPv4 internet
	options NetworkOptions

	hosts byte
}

// Network makes a network of a kind.
func (w *World) Network(k Kind, o NetworkOptions) *Network {
	w.t.Helper()
	w.networks++
	n := &Network{Kind: k, world: w, outer: w.ipv4, options: o, prefix: prefix4(192, 168, w.networks)}
	switch k {
	case Public:
		n.prefix, n.inner = netip.Prefix{}, w.ipv4
		return n
	case IPv6:
		n.prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, w.networks}), 48)
		n.inner = w.ipv6
		n.inner.AddChunkFilter(newFirewall(n.prefix).passes)
		return n
	case CGNAT:
		n.carrier = o.Carrier
		if n.carrier == nil {
			n.carrier = w.Carrier(NetworkOptions{})
		}
		n.outer = n.carrier.inner
	default:
	}
	n.route()
	return n
}

// Carrier makes a network for homes to be in, with addresses of RFC 6598.
func (w *World) Carrier(o NetworkOptions) *Network {
	w.t.Helper()
	w.networks++
	n := &Network{Kind: PortRestricted, world: w, outer: w.ipv4, options: o, prefix: prefix4(100, 64, w.networks)}
	n.route()
	n.inner.AddChunkFilter(w.hairpins)
	return n
}

func prefix4(a, b, c byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, 0}), 24)
}

// route gives the network its router.
func (n *Network) route() {
	n.world.t.Helper()
	n.inner = n.world.router(vnet.RouterConfig{CIDR: n.prefix.String(), StaticIPs: []string{n.external().String()}, NATType: n.Kind.natType()})
	n.world.check(n.outer.AddRouter(n.inner))
	n.inner.AddChunkFilter(n.carries)
	n.world.check(n.inner.Start())
}

// carries is the filter of the network's router.
func (n *Network) carries(c vnet.Chunk) bool {
	from, to := ends(c)
	if n.prefix.Contains(from.Addr()) && n.prefix.Contains(to.Addr()) {
		return !n.options.Isolated && !n.world.isCut()
	}
	return n.Kind != Blocked
}

// address returns the next address for a host.
func (n *Network) address() netip.Addr {
	if !n.prefix.IsValid() {
		return n.world.public()
	}
	n.hosts++
	a := n.prefix.Addr().AsSlice()
	a[len(a)-1] = 100 + n.hosts // vnet's own choices begin at 1
	addr, _ := netip.AddrFromSlice(a)
	return addr
}

// external returns a further address for the network's router in the network it
// is in.
func (n *Network) external() netip.Addr {
	a := n.world.public
	if n.carrier != nil {
		a = n.carrier.address
	}
	addr := a()
	if n.options.NoHairpin {
		n.world.noHairpin(addr, n)
	}
	return addr
}

// Host makes a host in the network.
func (n *Network) Host() *Host {
	n.world.t.Helper()
	return n.world.host(n.inner, n.address())
}
