package peer

import (
	"net/netip"

	"github.com/pion/webrtc/v4"
)

// nearness is how far a viewer is, by the addresses of the chosen path. It
// decides what a path is taken for before anything of it is known.
type nearness int32

const (
	elsewhere   nearness = iota // nothing is known of the path
	sameNetwork                 // a private or link-local address
	sameHost                    // no network between: nothing can be congested
)

func nearnessOf(p *webrtc.ICECandidatePair) nearness {
	if p == nil || p.Local == nil || p.Remote == nil || p.Local.Typ == webrtc.ICECandidateTypeRelay {
		return elsewhere
	}
	a, err := netip.ParseAddr(p.Remote.Address)
	switch {
	case err != nil:
		return elsewhere
	case a.IsLoopback() || p.Remote.Address == p.Local.Address:
		return sameHost
	case a.IsPrivate() || a.IsLinkLocalUnicast():
		return sameNetwork
	}
	return elsewhere
}
