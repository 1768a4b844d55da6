package server

import (
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// ICE knows the service's STUN and TURN servers. host is the name by which a
// client dialled this server, as in a URL and without a port: an address that
// the client can reach, if nobody configured a better one. Methods must be safe
// for concurrent use and must not block.
type ICE interface {
	// STUN returns the URLs of STUN servers, at most signaling.MaxICEURLs.
	STUN(host string) []string
	// MayRelay reports whether a peer may ask for a relay.
	MayRelay(peer identity.PeerID) bool
	// Relay returns a relay and a credential for one session of a peer, or why
	// not: signaling.CodeForbidden or signaling.CodeUnsupported.
	Relay(now time.Time, peer identity.PeerID, host string) (signaling.ICEServer, signaling.ErrorCode)
}

// noICE is the ICE of a service without STUN and TURN.
type noICE struct{}

func (noICE) STUN(string) []string          { return nil }
func (noICE) MayRelay(identity.PeerID) bool { return false }

func (noICE) Relay(time.Time, identity.PeerID, string) (signaling.ICEServer, signaling.ErrorCode) {
	return signaling.ICEServer{}, signaling.CodeUnsupported
}
