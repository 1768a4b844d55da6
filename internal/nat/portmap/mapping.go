package portmap

import (
	"net/netip"
	"time"
)

// Protocol is a way to talk to the router.
type Protocol string

// The protocols, in the order in which they are tried.
const (
	PCP    Protocol = "pcp"     // RFC 6887
	NATPMP Protocol = "nat-pmp" // RFC 6886
	UPnP   Protocol = "upnp"    // UPnP InternetGatewayDevice, WANIPConnection and WANPPPConnection
)

// The transports of a Mapping.
const (
	UDP = "udp"
	TCP = "tcp"
)

// Mapping is a port of the router that leads to one of ours.
type Mapping struct {
	Protocol  Protocol       `json:"protocol"`
	Transport string         `json:"transport"` // UDP or TCP
	Internal  uint16         `json:"internal"`  // our port
	External  netip.AddrPort `json:"external"`  // the router's address, as it says, and port
	Gateway   netip.Addr     `json:"gateway"`   // the router, as we reach it
	// Expires is when the router forgets the mapping if it is not renewed. Zero:
	// never (routers that grant UPnP leases without an end only).
	Expires time.Time `json:"expires,omitzero"`
	// DoubleNAT says that the router's own external address is not one of the
	// internet: another router translates behind it, and the mapping is of no use
	// beyond that one.
	DoubleNAT bool `json:"doubleNat"`
	// Unverified is why Options.Verify could not confirm the mapping. Empty:
	// confirmed, or nobody asked.
	Unverified string `json:"unverified,omitempty"`
}
