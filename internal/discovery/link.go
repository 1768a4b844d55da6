package discovery

import (
	"net"
	"net/netip"
	"path"
	"slices"
	"time"
)

// maxLinkAddresses is how many addresses of an interface are given out.
const maxLinkAddresses = 8

// attachment is an interface of this machine and its addresses.
type attachment struct {
	net.Interface
	prefixes []netip.Prefix // with our own address in them, without zones
}

// attachments returns the interfaces that can multicast. If only is not empty,
// those whose name matches one of the patterns.
func attachments(only []string) ([]attachment, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []attachment
	for _, i := range all {
		const need, not = net.FlagUp | net.FlagMulticast, net.FlagLoopback | net.FlagPointToPoint
		if i.Flags&need != need || i.Flags&not != 0 || len(only) > 0 && !matches(only, i.Name) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has gone meanwhile
		}
		a := attachment{Interface: i}
		for _, addr := range addrs {
			if p, err := netip.ParsePrefix(addr.String()); err == nil {
				a.prefixes = append(a.prefixes, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
			}
		}
		if len(a.prefixes) > 0 {
			out = append(out, a)
		}
	}
	return out, nil
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return err == nil && ok
	})
}

func (a attachment) same(b attachment) bool {
	return a.Index == b.Index && a.Name == b.Name && slices.Equal(a.HardwareAddr, b.HardwareAddr)
}

// has reports whether the attachment has an address of that family.
func (a attachment) has(six bool) bool {
	return slices.ContainsFunc(a.prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() == six })
}

// onLink reports whether an address is of a neighbour (RFC 6762 §11).
func (a attachment) onLink(addr netip.Addr) bool {
	addr = addr.WithZone("")
	return addr.IsLinkLocalUnicast() || slices.ContainsFunc(a.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// addresses returns our own addresses, IPv4 first.
func (a attachment) addresses() []netip.Addr {
	var out []netip.Addr
	for _, six := range []bool{false, true} {
		for _, p := range a.prefixes {
			if addr := p.Addr(); addr.Is6() == six && len(out) < maxLinkAddresses && !slices.Contains(out, addr) {
				out = append(out, addr)
			}
		}
	}
	return out
}

// linkKey names a link: an interface and a family of addresses.
type linkKey struct {
	index int
	six   bool
}

// link is an interface on which one family is spoken. The LAN's mutex guards it.
type link struct {
	attachment
	six  bool
	wire wire // constant

	// What will be multicast, at due; nothing while wants is 0.
	wants wants
	due   time.Time
	sent  time.Time // when something was the last time
	// announce is how many more unasked answers there will be (RFC 6762 §8.3).
	announce int
}

// usable returns an address that came in an answer as it can be dialled from here.
// An answer leads to no place beyond this site: only to neighbours, and to private
// addresses, since there are routers that pass multicast DNS on between networks
// (for cameras in one of their own).
func (k *link) usable(a netip.Addr) (netip.Addr, bool) {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid(), a.IsUnspecified(), a.IsLoopback(), a.IsMulticast():
		return a, false
	case a.IsLinkLocalUnicast() && a.Is6():
		return a.WithZone(zone(&k.Interface)), true
	}
	return a, a.IsPrivate() || k.onLink(a)
}
