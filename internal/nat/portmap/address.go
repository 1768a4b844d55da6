package portmap

import "net/netip"

// notOfTheInternet are the IPv4 networks beside those that netip knows whose
// addresses nobody on the internet can send to.
func notOfTheInternet() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // providers' NAT, RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),  // DS-Lite, RFC 6333 §5.7
		netip.MustParsePrefix("198.18.0.0/15"), // benchmarks, RFC 2544
		netip.MustParsePrefix("240.0.0.0/4"),
	}
}

// isPublic reports whether an IPv4 address is one that the internet can send to.
// The documentation networks count as public: tests stand on them.
func isPublic(a netip.Addr) bool {
	if !a.Is4() || a.IsPrivate() || !a.IsGlobalUnicast() {
		return false
	}
	for _, p := range notOfTheInternet() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// isExternal reports whether a router can have an IPv4 address on its far side:
// public, or of another network behind which there is one more router.
func isExternal(a netip.Addr) bool {
	return a.Is4() && a.IsGlobalUnicast() && !netip.MustParsePrefix("0.0.0.0/8").Contains(a) &&
		!netip.MustParsePrefix("240.0.0.0/4").Contains(a)
}
