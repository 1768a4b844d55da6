package netcheck

import (
	"net/netip"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
)

// Report is what a Check found.
type Report struct {
	// UDP says whether packets to a STUN server and back get through.
	UDP nat.UDP `json:"udp"`
	// IPv4 and IPv6 are the two internets, which have nothing in common.
	IPv4 Family `json:"ipv4"`
	IPv6 Family `json:"ipv6"`
	// STUN has one entry for each address of each server.
	STUN []STUNReport `json:"stun"`
	// Relays has one entry for each TURN URL.
	Relays []RelayReport `json:"relays"`
	// Signal is nil if no service was named.
	Signal *SignalReport `json:"signal"`
	// PortMapping is nil if the router was not asked.
	PortMapping *portmap.Report `json:"portMapping"`
	// DoubleNAT says that the router's own address is not the one that the internet
	// sees: a second router, often the provider's (RFC 6598), translates behind it.
	DoubleNAT bool `json:"doubleNat"`
	// Problem is why nothing could be examined. Empty for most.
	Problem string `json:"problem,omitempty"`
}

// Answer is yes, no, or unknown.
type Answer string

// The answers.
const (
	Yes       Answer = "yes"
	No        Answer = "no"
	Undecided Answer = "unknown"
)

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// Family is what is known of IPv4 or of IPv6.
type Family struct {
	// Local are this machine's own addresses, without loopback and link-local ones.
	Local []netip.Addr `json:"local"`
	// Public are the addresses that STUN servers saw; mostly one.
	Public []netip.Addr `json:"public"`
	// NAT says whether Public is somebody else's: a router translates.
	NAT Answer `json:"nat"`
	// Mapping is when the router gives another port (RFC 4787 §4.1).
	Mapping Measured `json:"mapping"`
	// Filtering is whom the router, or a firewall, lets in (RFC 4787 §5).
	Filtering Measured `json:"filtering"`
	// Hairpin says whether two machines behind the router reach each other by
	// their public addresses (RFC 4787 §6). Undecided without NAT.
	Hairpin Answer `json:"hairpin"`
}

// STUNReport is what became of one address of one STUN server.
type STUNReport struct {
	URL    string         `json:"url"`
	Server netip.AddrPort `json:"server,omitzero"`
	// RTTms is how long the answer took, in milliseconds.
	RTTms int64 `json:"rttMs"`
	// Mapped is the address that the server saw.
	Mapped netip.AddrPort `json:"mapped,omitzero"`
	// Other is the server's second address (RFC 5780 §7.4), if it has one.
	Other netip.AddrPort `json:"other,omitzero"`
	// Problem is why there was no answer. Empty if there was.
	Problem string `json:"problem,omitempty"`
}

// RelayReport is what became of one TURN URL.
type RelayReport struct {
	URL string `json:"url"`
	// Transport is how it is reached: "udp", "tcp" or "tls".
	Transport string `json:"transport"`
	// Reachable says that a TURN server answered.
	Reachable bool `json:"reachable"`
	// Usable says that it gave a relayed address, which was given back at once.
	Usable bool `json:"usable"`
	// RTTms is how long its first answer took, in milliseconds, with the
	// connection before it.
	RTTms int64 `json:"rttMs"`
	// Relayed is the address it gave.
	Relayed netip.AddrPort `json:"relayed,omitzero"`
	// Problem is why it is not usable, and what to do.
	Problem string `json:"problem,omitempty"`
}

// SignalReport is what became of the signaling service.
type SignalReport struct {
	URL string `json:"url"`
	// Reachable says that it answered.
	Reachable bool `json:"reachable"`
	// RTTms is how long its answer took, in milliseconds, with the connection
	// before it.
	RTTms int64 `json:"rttMs"`
	// Clock is how this machine's clock compares; nil if the service told no time.
	Clock *ClockReport `json:"clock"`
	// Problem is why it did not answer as it should, and what to do.
	Problem string `json:"problem,omitempty"`
}

// ClockReport compares this machine's clock with a server's.
type ClockReport struct {
	// AheadMs is how far this clock is ahead, in milliseconds; negative if behind.
	AheadMs int64 `json:"aheadMs"`
	// PrecisionMs is how far off AheadMs may be: servers tell whole seconds.
	PrecisionMs int64 `json:"precisionMs"`
}
