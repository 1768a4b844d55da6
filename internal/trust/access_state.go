package trust

import (
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
	// Carried is what such lists revoke and the one in force does not; Removed
	// are the owners whom they took away. Lists are those lists, compact, so that
	// an owner need not take the publisher's word for it.
	Lists   []string            `json:"lists"`
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
