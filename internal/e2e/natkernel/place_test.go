package natkernel

import (
	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// place is where a camera or a viewer is.
type place struct {
	kind    netns.Kind
	hairpin bool
	// mapped says that the router maps ports for those who ask.
	mapped bool
}

func (p place) String() string {
	name := string(p.kind)
	if p.hairpin {
		name += "+hairpin"
	}
	if p.mapped {
		name += "+mapped"
	}
	return name
}

func (p place) options() netns.SiteOptions {
	return netns.SiteOptions{Kind: p.kind, Hairpin: p.hairpin}
}

// places returns every kind of place, with and without hairpin.
func places() []place {
	return []place{
		{kind: netns.Open}, {kind: netns.IPv6Only}, {kind: netns.Blocked},
		{kind: netns.FullCone}, {kind: netns.FullCone, hairpin: true},
		{kind: netns.AddressRestricted}, {kind: netns.AddressRestricted, hairpin: true},
		{kind: netns.PortRestricted}, {kind: netns.PortRestricted, hairpin: true},
		{kind: netns.Symmetric}, {kind: netns.Symmetric, hairpin: true},
		{kind: netns.CGNAT}, {kind: netns.CGNAT, hairpin: true},
	}
}

// mappedPlaces are those whose router maps ports.
func mappedPlaces() []place {
	return []place{
		{kind: netns.Blocked, mapped: true}, {kind: netns.FullCone, mapped: true}, {kind: netns.AddressRestricted, mapped: true},
		{kind: netns.PortRestricted, mapped: true}, {kind: netns.Symmetric, mapped: true}, {kind: netns.CGNAT, mapped: true},
	}
}

// outcome is how a viewer gets its picture.
type outcome string

const (
	direct  outcome = "direct"
	relayed outcome = "relayed"
	failed  outcome = "failed"
)

// expected says how a viewer gets the picture of a camera at another place,
// with or without a TURN server.
func expected(camera, viewer place, turn bool) outcome {
	otherwise := failed
	if turn {
		otherwise = relayed
	}
	switch {
	case (camera.kind == netns.IPv6Only) != (viewer.kind == netns.IPv6Only):
		// They share no family of addresses, and pion asks a relay for the family
		// that it reaches the relay by.
		return failed
	case reachableByTCP(camera):
		return direct
	case camera.kind == netns.Blocked || viewer.kind == netns.Blocked:
		return otherwise
	case camera.mapped && camera.kind != netns.CGNAT:
		return direct
	case punches(camera.kind, viewer.kind):
		return direct
	}
	return otherwise
}

// reachableByTCP reports whether the camera's port can be reached by TCP (RFC
// 6544) from everywhere: then even who is cut off from UDP needs no relay. A
// carrier's router does not map what the router at home has mapped.
func reachableByTCP(camera place) bool {
	return camera.kind == netns.Open || camera.mapped && camera.kind != netns.CGNAT
}

// punches reports whether two that send to each other get through. One whose
// port is another for every destination is found only by those who do not look at
// the port that a packet comes from.
func punches(a, b netns.Kind) bool {
	if a == netns.Symmetric {
		return !filtersByPort(b)
	}
	return b != netns.Symmetric || !filtersByPort(a)
}

func filtersByPort(k netns.Kind) bool {
	return k == netns.PortRestricted || k == netns.CGNAT || k == netns.Symmetric
}
