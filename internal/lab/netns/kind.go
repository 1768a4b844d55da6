//go:build linux

package netns

// Kind says how a site is connected to the internet. The words for what routers
// do are those of RFC 4787 and RFC 5780.
type Kind string

// The kinds of sites.
const (
	// Open has no router: its hosts have public addresses.
	Open Kind = "open"
	// FullCone maps and filters endpoint-independently.
	FullCone Kind = "full-cone"
	// AddressRestricted maps endpoint-independently and filters by address.
	AddressRestricted Kind = "address-restricted"
	// PortRestricted maps endpoint-independently and filters by address and port.
	PortRestricted Kind = "port-restricted"
	// Symmetric maps and filters by address and port.
	Symmetric Kind = "symmetric"
	// CGNAT is a port-restricted router behind that of a carrier, which is
	// port-restricted too. Between them are addresses of 100.64.0.0/10 (RFC 6598).
	CGNAT Kind = "cgnat"
	// IPv6Only has public IPv6 addresses and no others, behind a router that lets
	// in only what was asked for from inside (RFC 6092).
	IPv6Only Kind = "ipv6-only"
	// Blocked drops all UDP, and is port-restricted for the rest.
	Blocked Kind = "blocked"
)

// translates reports whether the site's router replaces addresses.
func (k Kind) translates() bool { return k != Open && k != IPv6Only }
