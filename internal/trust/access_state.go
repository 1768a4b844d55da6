package trust

import (
	"cmp"
	"errors"
	"sort"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// AccessState is who may do what, for owners to look at. Its JSON is part of the
// API. There are no secrets in it. Slices are never nil.
type AccessState struct {
	// Home and Version are those of the list in force; "" and 0 without one.
	Home    string `json:"home"`
	Version int64  `json:"version"`
	// List is the list in force, compact; "" without one.
	List string `json:"list"`
	// Conflict: owners have signed lists that do not know of each other.
	Conflict bool `json:"conflict"`
	// Lists are all lists that are remembered, compact, the oldest first, at most
	// 32 with the one in force: everything that follows can be told from them, and
	// an owner who missed some learns them here.
	Lists []string `json:"lists"`
	// Carried is what lists beside the one in force revoke and it does not; Removed
	// are the owners whom they took away.
	Carried []access.Revocation `json:"carried"`
	Removed []identity.PeerID   `json:"removed"`
	// Owners are those in force, in order of seniority. Pending are peers who
	// redeemed an invite that makes owners; they are owners at this publisher
	// until a list says that they are, or that they are not.
	Owners  []access.Owner `json:"owners"`
	Pending []PendingOwner `json:"pending"`
	// Grants are those that this publisher has seen.
	Grants []GrantState `json:"grants"`
	// Invites wait at this publisher for their guests.
	Invites []InviteState `json:"invites"`
	// RevokedHere was revoked at this publisher's console, and holds only here.
	RevokedHere []access.Revocation `json:"revokedHere"`
}

// PendingOwner is an owner whom no list has yet.
type PendingOwner struct {
	ID     identity.PeerID `json:"id"`
	Name   string          `json:"name"`
	Device string          `json:"device"`
	// Inviter is the owner who asked for it.
	Inviter identity.PeerID `json:"inviter"`
	// Invite is the compact invite that was redeemed. Owners put the peer into
	// their next list only if an owner signed it: a publisher's word alone makes
	// no owner of a whole home.
	Invite string `json:"invite"`
	// Since is when the invite was redeemed, in seconds since 1970.
	Since int64 `json:"since"`
}

// GrantState is one grant that was seen.
type GrantState struct {
	ID      string          `json:"jti"`
	Peer    identity.PeerID `json:"peer"`
	Issuer  identity.PeerID `json:"issuer"`
	Name    string          `json:"name"`
	Device  string          `json:"device"`
	Rights  []access.Right  `json:"rights"`
	Cameras []string        `json:"cameras"`
	Pass    bool            `json:"pass"`
	// Expires is in seconds since 1970; 0 means when revoked.
	Expires int64 `json:"expires"`
	// Revoked: it, its holder or somebody in its chain was revoked, or whoever
	// gave it is no owner any more.
	Revoked bool `json:"revoked"`
	// Grant is the grant itself, compact, so that an owner need not take the
	// publisher's word for it; "" where all grants together are too long.
	Grant string `json:"grant"`
	// LastSeen is RFC 3339, "" if its holder never came.
	LastSeen string `json:"lastSeen"`
}

// InviteState is one invite that waits.
type InviteState struct {
	ID      string          `json:"jti"`
	Issuer  identity.PeerID `json:"issuer"`
	Name    string          `json:"name"`
	Rights  []access.Right  `json:"rights"`
	Cameras []string        `json:"cameras"`
	Pass    bool            `json:"pass"`
	Owner   bool            `json:"owner"`
	// Expires is the invite's own end, in seconds since 1970; GrantExpires the
	// end of what it gives, 0 for none.
	Expires      int64 `json:"expires"`
	GrantExpires int64 `json:"grantExpires"`
}

// maxShownGrants bounds the grants in an AccessState, in bytes: a page reads answers
// of 4 MiB, and the lists can have 2.3 MiB.
const maxShownGrants = 1 << 20

// Disputed is all that whoever disputes a list needs to know: the home and its
// lists.
func (out AccessState) Disputed() AccessState {
	out.Owners, out.Pending, out.Grants, out.Invites = []access.Owner{}, []PendingOwner{}, []GrantState{}, []InviteState{}
	out.RevokedHere = []access.Revocation{}
	return out
}

// State returns who may do what.
func (t *Trust) State() AccessState {
	s, now := t.state.Load(), t.Now()
	out := AccessState{
		Lists: []string{}, Carried: []access.Revocation{}, Removed: []identity.PeerID{}, Owners: []access.Owner{},
		Pending: []PendingOwner{}, Grants: []GrantState{}, Invites: []InviteState{},
		RevokedHere: append([]access.Revocation{}, s.revoke...),
	}
	if s.lists != nil {
		out.addLists(s.lists)
	}
	for _, o := range s.owners() {
		if s.isOwner(o.ID) {
			out.Owners = append(out.Owners, o)
		}
	}
	for _, p := range s.pending {
		if s.isOwner(p.ID) {
			out.Pending = append(out.Pending, PendingOwner{
				ID: p.ID, Name: p.Name, Device: p.Device, Inviter: p.invite.Issuer, Invite: p.invite.Compact(), Since: p.Since,
			})
		}
	}
	for peer, h := range s.holders {
		for _, g := range h.grants {
			out.Grants = append(out.Grants, s.grantState(g, peer, h.seen.Load(), now))
		}
	}
	sort.Slice(out.Grants, func(i, j int) bool { // slices.SortFunc would be compiled for this type anew, 24 KB
		a, b := &out.Grants[i], &out.Grants[j]
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Peer), string(b.Peer)), strings.Compare(a.ID, b.ID)) < 0
	})
	left := maxShownGrants
	for i, g := range out.Grants {
		if left -= len(g.Grant); left < 0 {
			out.Grants[i].Grant = ""
		}
	}
	for _, r := range s.invites {
		if v := r.invite; !r.used && !isGone(s.judgeInvite(v, now)) && now.Unix() < v.Expires {
			out.Invites = append(out.Invites, InviteState{
				ID: v.ID, Issuer: v.Issuer, Name: v.Name, Rights: v.Scope.Rights, Cameras: v.Scope.Cameras, Pass: v.Scope.Pass,
				Owner: v.Owner, Expires: v.Expires, GrantExpires: v.Scope.Expires,
			})
		}
	}
	return out
}

func (out *AccessState) addLists(lists *access.ListState) {
	out.Home, out.Conflict = lists.Home(), lists.Conflict()
	if l := lists.List(); l != nil {
		out.List, out.Version = l.Compact(), l.Version
	}
	for _, l := range lists.Remembered() {
		out.Lists = append(out.Lists, l.Compact())
	}
	out.Carried = append(out.Carried, lists.Carried()...)
	out.Removed = append(out.Removed, lists.RemovedOwners()...)
}

func (s *state) grantState(g *access.Grant, peer identity.PeerID, seen int64, now time.Time) GrantState {
	out := GrantState{
		ID: g.ID, Peer: peer, Issuer: g.Issuer, Name: g.Name, Device: g.Device,
		Rights: g.Scope.Rights, Cameras: g.Scope.Cameras, Pass: g.Scope.Pass, Expires: g.Scope.Expires,
		Revoked: isGone(s.judge(g, peer, now)), Grant: g.Compact(),
	}
	if seen > 0 {
		out.LastSeen = time.Unix(seen, 0).UTC().Format(time.RFC3339)
	}
	return out
}

// isGone reports whether an error says that a token was given by nobody who may,
// or was taken back.
func isGone(err error) bool {
	return errors.Is(err, access.ErrRevoked) || errors.Is(err, access.ErrIssuer)
}
