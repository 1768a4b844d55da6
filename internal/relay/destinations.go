package relay

import (
	"net/netip"
	"slices"
)

// destinations decides which addresses are relayed to. Constant after
// construction.
type destinations struct {
	allowed []netip.Prefix      // whatever they are
	own     map[netip.Addr]bool // of this machine: relayed to at the relay's own ports only
}

// public reports whether an address belongs to the public internet. Networks of
// examples (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) count:
// nobody is there to be harmed.
func public(ip netip.Addr) bool {
	if ip.Is6() {
		// Of IPv6 only 2000::/3 is given out: that leaves out loopback, link-local,
		// unique local, multicast, and IPv4 in other clothes (RFC 6890).
		return globalIPv6().Contains(ip) && !within(ip, disguisedIPv4())
	}
	return ip.Is4() && !within(ip, specialIPv4())
}

func globalIPv6() netip.Prefix { return prefix("2000::/3") }

// disguisedIPv4 are networks of IPv6 whose addresses name a host of IPv4.
func disguisedIPv4() []netip.Prefix {
	return []netip.Prefix{prefix("2001::/32"), prefix("2002::/16")} // Teredo, 6to4
}

// specialIPv4 are the networks of IPv4 that are not public (RFC 6890).
func specialIPv4() []netip.Prefix {
	return []netip.Prefix{
		prefix("0.0.0.0/8"), prefix("10.0.0.0/8"), prefix("100.64.0.0/10"), prefix("127.0.0.0/8"), prefix("169.254.0.0/16"),
		prefix("172.16.0.0/12"), prefix("192.0.0.0/24"), prefix("192.88.99.0/24"), prefix("192.168.0.0/16"),
		prefix("198.18.0.0/15"), prefix("224.0.0.0/3"),
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func within(ip netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// address reports whether an address may be relayed to at all; an address of
// this machine's own may, but not every port of it.
func (d *destinations) address(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.Zone() == "" && (d.own[ip] || d.listed(ip) || public(ip))
}

// relaysOnly reports whether an address may be relayed to at the ports of relays
// only: nobody outside shall reach this machine's own services from within.
func (d *destinations) relaysOnly(ip netip.Addr) bool { return d.own[ip] && !d.listed(ip) }

func (d *destinations) listed(ip netip.Addr) bool { return within(ip, d.allowed) }
