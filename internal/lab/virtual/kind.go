package virtual

import "github.com/pion/transport/v4/vnet"

// Kind is what a network does to the UDP of the hosts in it, in the words of
// RFC 4787: the mapping says when a host's port is seen as another one outside,
// the filtering who may send to that.
type Kind string

const (
	// Public is no NAT: the host has a public IPv4 address.
	Public Kind = "public"
	// FullCone maps and filters independent of the endpoint.
	FullCone Kind = "full-cone"
	// AddressRestricted maps independent of the endpoint and filters by address.
	AddressRestricted Kind = "address-restricted"
	// PortRestricted maps independent of the endpoint and filters by address and
	// port. Most home routers.
	PortRestricted Kind = "port-restricted"
	// Symmetric maps and filters by address and port.
	Symmetric Kind = "symmetric"
	// CGNAT is PortRestricted behind a carrier's PortRestricted.
	CGNAT Kind = "cgnat"
	// IPv6 is a public IPv6 address behind a stateful firewall, and no IPv4.
	IPv6 Kind = "ipv6"
	// Blocked lets no UDP through.
	Blocked Kind = "blocked"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Public, FullCone, AddressRestricted, PortRestricted, CGNAT, Symmetric, IPv6, Blocked}
}

// natType is what the network's own router does; nil where there is none.
func (k Kind) natType() *vnet.NATType {
	n := &vnet.NATType{MappingBehavior: vnet.EndpointIndependent}
	switch k {
	case Public, IPv6:
		return nil
	case FullCone:
		n.FilteringBehavior = vnet.EndpointIndependent
	case AddressRestricted:
		n.FilteringBehavior = vnet.EndpointAddrDependent
	case PortRestricted, CGNAT, Blocked:
		n.FilteringBehavior = vnet.EndpointAddrPortDependent
	case Symmetric:
		n.MappingBehavior = vnet.EndpointAddrPortDependent
		n.FilteringBehavior = vnet.EndpointAddrPortDependent
	}
	return n
}
