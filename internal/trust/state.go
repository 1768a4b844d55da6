package trust

import (
	"slices"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// state is everything that is known at one moment. It never changes: whoever
// changes something makes the next one, so that requests are judged without
// waiting for a disk.
type state struct {
	publisher  identity.PeerID
	generation uint64 // counts states, from 1

	// in owners.json
	lists  *access.ListState // nil: there is no owner
	root   access.Owner      // who was paired; lists know no names before the first
	revoke []access.Revocation

	// in claims.json
	invites []inviteRecord
	console []consoleInvite
	pending []pendingOwner

	// each in a file of its own
	holders map[identity.PeerID]*holder
}

// next returns a copy to be changed. What its slices and maps hold must be
// replaced, not changed.
func (s *state) next() *state {
	n := *s
	n.generation++
	return &n
}

func (s *state) home() string {
	if s.lists == nil {
		return ""
	}
	return s.lists.Home()
}

// owners returns the owners that the lists have, names included.
func (s *state) owners() []access.Owner {
	if s.lists == nil {
		return []access.Owner{}
	}
	owners := s.lists.Owners()
	if s.lists.List() == nil {
		owners = []access.Owner{s.root}
	}
	return owners
}

// owner returns the owner with a PeerID: one of the lists', or one who is
// pending.
func (s *state) owner(peer identity.PeerID) (access.Owner, bool) {
	if s.revokedHere(access.RevokedPeer, string(peer)) {
		return access.Owner{}, false
	}
	for _, o := range s.owners() {
		if o.ID == peer {
			return o, true
		}
	}
	for _, p := range s.pending {
		if p.ID == peer && s.mayMakeOwners(p.invite.Issuer) && !s.revoked(access.RevokedGrant, p.invite.ID) {
			return access.Owner{ID: p.ID, Name: p.Name, Device: p.Device}, true
		}
	}
	return access.Owner{}, false
}

func (s *state) isOwner(peer identity.PeerID) bool {
	_, ok := s.owner(peer)
	return ok
}

// mayMakeOwners reports whether a peer is an owner by the lists: one who is
// pending makes no others.
func (s *state) mayMakeOwners(peer identity.PeerID) bool {
	return s.lists != nil && s.lists.IsOwner(peer) && !s.revokedHere(access.RevokedPeer, string(peer))
}

// revoked reports whether something was revoked, by an owner or here.
func (s *state) revoked(kind, id string) bool {
	return s.revokedHere(kind, id) || s.lists != nil && s.lists.Revoked(kind, id)
}

func (s *state) revokedHere(kind, id string) bool {
	return slices.ContainsFunc(s.revoke, func(r access.Revocation) bool { return r.Kind == kind && r.ID == id })
}

// authority is what a token is judged by whose chain begins at root. What was
// given at the console is good as long as it is remembered, so that a reset ends
// it.
func (s *state) authority(root origin) access.Authority {
	forgotten := root.issuer == s.publisher && !s.givenHere(root.id)
	return access.Authority{
		Publisher: s.publisher, Home: s.home(), Owner: s.isOwner,
		Member: func(peer identity.PeerID) bool { return s.lists != nil && s.lists.IsPublisher(peer) },
		Revoked: func(kind, id string) bool {
			return forgotten && kind == access.RevokedGrant && id == root.id || s.revoked(kind, id)
		},
	}
}

func (s *state) givenHere(jti string) bool {
	return slices.ContainsFunc(s.console, func(c consoleInvite) bool { return c.ID == jti })
}

// origin is where the chain of a token begins.
type origin struct {
	issuer identity.PeerID
	id     string
	issued int64
}

func originOfGrant(g *access.Grant) origin {
	for g.Parent() != nil {
		g = g.Parent()
	}
	if v := g.Invite(); v != nil {
		return originOfInvite(v)
	}
	return origin{g.Issuer, g.ID, g.Issued}
}

func originOfInvite(v *access.Invite) origin {
	if g := v.Parent(); g != nil {
		return originOfGrant(g)
	}
	return origin{v.Issuer, v.ID, v.Issued}
}
