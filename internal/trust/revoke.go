package trust

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// maxRevokedHere bounds the revocations of the console.
const maxRevokedHere = access.MaxRevoked

// RevokeHere revokes a peer (by its PeerID, as typed), a grant or an invite (by its
// jti), or whoever has a name that nobody else has, at this publisher only and
// until the next reset. It is in force before RevokeHere returns. Errors wrap
// ErrUnknown, ErrAmbiguous, ErrOwned (the last owner), ErrTooMany or ErrNotKept; with
// the last one the revocation is in force.
func (t *Trust) RevokeHere(id string) (access.Revocation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state.Load()
	now := t.Now().Unix()
	r, err := s.find(id)
	if err != nil {
		return access.Revocation{}, err
	}
	r.Time = now
	if r.Kind == access.RevokedPeer && s.lastOwner(identity.PeerID(r.ID)) {
		return access.Revocation{}, fmt.Errorf("%w, and this is the only one; run sightline pair --reset on the device instead, which forgets all owners and guests", ErrOwned)
	}
	next := s.next()
	next.revoke = slices.DeleteFunc(without(s.revoke, r.Kind, r.ID), func(o access.Revocation) bool {
		return o.Expires != 0 && o.Expires <= now
	})
	if len(next.revoke) >= maxRevokedHere {
		return access.Revocation{}, fmt.Errorf("%w were revoked here; let an owner revoke this one", ErrTooMany)
	}
	next.revoke = append(next.revoke, r)
	t.put(next)
	return r, t.notKept(t.writeOwners(next))
}

// without returns the revocations without one.
func without(all []access.Revocation, kind, id string) []access.Revocation {
	return slices.DeleteFunc(slices.Clone(all), func(r access.Revocation) bool { return r.Kind == kind && r.ID == id })
}

// lastOwner reports whether nobody would be an owner without peer.
func (s *state) lastOwner(peer identity.PeerID) bool {
	if !s.isOwner(peer) {
		return false
	}
	return !slices.ContainsFunc(s.owners(), func(o access.Owner) bool { return o.ID != peer && s.isOwner(o.ID) })
}

// find says what somebody means.
func (s *state) find(id string) (access.Revocation, error) {
	if peer, err := identity.ParsePeerID(id); err == nil {
		return access.Revocation{Kind: access.RevokedPeer, ID: string(peer)}, nil
	}
	for _, h := range s.holders {
		for _, g := range h.grants {
			if g.ID == id {
				return access.Revocation{Kind: access.RevokedGrant, ID: id, Expires: g.Scope.Expires}, nil
			}
		}
	}
	for _, r := range s.invites {
		if r.invite.ID == id {
			return access.Revocation{Kind: access.RevokedGrant, ID: id, Expires: grantEnd(r.invite)}, nil
		}
	}
	found := s.named(id)
	switch {
	case len(found) == 1:
		return found[0].Revocation, nil
	case len(found) > 1:
		var lines []string
		for _, f := range found {
			lines = append(lines, fmt.Sprintf("%s (%s)", f.ID, f.what))
		}
		return access.Revocation{}, fmt.Errorf("%w; say which one: %s", ErrAmbiguous, strings.Join(lines, ", "))
	case access.ValidateToken(id, access.TokenSize) == nil:
		return access.Revocation{Kind: access.RevokedGrant, ID: id}, nil // seen elsewhere
	}
	return access.Revocation{}, ErrUnknown
}

// grantEnd is when nothing that was made of an invite can count any more, 0 for
// never.
func grantEnd(v *access.Invite) int64 {
	if v.Owner || v.Scope.Expires == 0 {
		return 0
	}
	return max(v.Scope.Expires, v.Expires)
}

// target is something with a name.
type target struct {
	access.Revocation
	what string
}

// named returns who and what has a name, each once.
func (s *state) named(name string) []target {
	name = strings.TrimSpace(name)
	var all []target
	add := func(called, kind, id, what string) {
		if name == "" || !strings.EqualFold(strings.TrimSpace(called), name) || s.revokedHere(kind, id) ||
			slices.ContainsFunc(all, func(o target) bool { return o.Kind == kind && o.ID == id }) {
			return
		}
		all = append(all, target{access.Revocation{Kind: kind, ID: id}, what})
	}
	for _, o := range s.owners() {
		add(o.Name, access.RevokedPeer, string(o.ID), "owner, "+deviceOr(o.Device))
	}
	for _, p := range s.pending {
		add(p.Name, access.RevokedPeer, string(p.ID), "owner, "+deviceOr(p.Device))
	}
	for peer, h := range s.holders {
		for _, g := range h.grants {
			if !s.revoked(access.RevokedGrant, g.ID) && !s.revoked(access.RevokedPeer, string(peer)) {
				add(g.Name, access.RevokedPeer, string(peer), deviceOr(g.Device))
			}
		}
	}
	for _, r := range s.invites {
		if !r.used {
			add(r.invite.Name, access.RevokedGrant, r.invite.ID, "an invite")
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID }) // slices.SortFunc would be compiled for this type anew
	return all
}

func deviceOr(device string) string {
	if device == "" {
		return "device without a name"
	}
	return device
}
