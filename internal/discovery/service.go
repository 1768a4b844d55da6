package discovery

import (
	"net/netip"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Service is an agent on this network, as anybody on it is told.
type Service struct {
	// Peer is the agent's id.
	Peer identity.PeerID
	// Port is the TCP port of the agent's listener, which serves signaling too; 0
	// if there is none that others reach.
	Port uint16
	// TLS says that the listener speaks TLS.
	TLS bool
	// UDP is the port for media; 0 if it is not told.
	UDP uint16
	// Addresses are where it was found, at most 16, the last heard of first.
	// Link-local IPv6 addresses have a zone. Advertise does not look at them: it
	// gives out the addresses of each interface on that interface.
	Addresses []netip.Addr
}
