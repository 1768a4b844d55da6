package nat

import (
	"fmt"
	"hash/fnv"
	"net/netip"
)

// Kind is how an address came to be.
type Kind string

// The kinds of candidates.
const (
	// Host is an address of this machine.
	Host Kind = "host"
	// ServerReflexive is what a STUN server saw.
	ServerReflexive Kind = "srflx"
	// Mapped is what a router promised, or what somebody configured: it lets
	// everybody in. To the other side it is a server-reflexive candidate.
	Mapped Kind = "mapped"
)

// Candidate is an address at which this machine's port can perhaps be reached.
type Candidate struct {
	Kind Kind
	// Transport is "udp" or "tcp".
	Transport string
	// Address is what to send to.
	Address netip.AddrPort
	// Base is the local address behind it; the same as Address for Host.
	Base netip.AddrPort
	// By is who said so: "stun", "pcp", "nat-pmp", "upnp", "configured"; empty
	// for Host.
	By string
}

// Line returns the candidate as the value of an a=candidate attribute (RFC 8839
// §5.1), with its name. place is its place among the candidates of its kind, the
// best first.
func (c Candidate) Line(place int) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %s %s %s", c.Kind, c.Transport, c.Base.Addr(), c.By) // never fails
	kind, related := "host", ""
	if c.Kind != Host && c.Transport != "tcp" {
		kind = "srflx"
		related = fmt.Sprintf(" raddr %s rport %d", c.Base.Addr(), c.Base.Port())
	}
	tcp := ""
	if c.Transport == "tcp" {
		tcp = " tcptype passive"
	}
	return fmt.Sprintf("candidate:%d 1 %s %d %s %d typ %s%s%s", h.Sum32(), c.Transport, c.priority(place), c.Address.Addr(), c.Address.Port(), kind, related, tcp)
}

// priority follows RFC 8445 §5.1.2.1, and RFC 6544 §4.2 in that TCP comes after
// all UDP of the same kind.
func (c Candidate) priority(place int) uint32 {
	preference := uint32(126)
	switch c.Kind {
	case Host:
	case Mapped:
		preference = 101
	case ServerReflexive:
		preference = 100
	}
	local := uint32(65535)
	if c.Transport == "tcp" {
		preference -= 36
		local = 0x8fff // passive: 4 of 7 in the upper three bits
	}
	if c.Address.Addr().Is4() {
		local -= 0x100 // RFC 8421: IPv6 first
	}
	if c.Address.Addr().IsLoopback() {
		local -= 0x1000
	}
	return preference<<24 | (local-uint32(min(max(place, 0), 255)))<<8 | 255 // bounded
}
