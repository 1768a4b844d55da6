package trust

import (
	"errors"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

var errSoon = errors.New("not there yet")

// Trust is the state of one publisher. Safe for concurrent use.
type Trust struct {
	options Options
	changes chan struct{}
}

// Open reads the state, or begins one that has no owner.
func Open(o Options) (*Trust, error) {
	return &Trust{options: o.withDefaults(), changes: make(chan struct{}, 1)}, nil
}

// Changes returns a channel that has an element after something changed that
// may end or widen access. There is one channel, for one reader.
func (t *Trust) Changes() <-chan struct{} { return t.changes }

// Known reports, without any cryptography, whether a peer is likely to be let in.
func (t *Trust) Known(identity.PeerID) bool { return false }

// Authorize says who a peer is, by what is known and the grants it shows.
func (t *Trust) Authorize(identity.PeerID, []string) (*Principal, error) { return nil, errSoon }

// Renew says whether a principal still holds: the same pointer if nothing changed,
// another principal, or why not.
func (t *Trust) Renew(p *Principal) (*Principal, error) { return p, errSoon }

// Console returns the principal of the device's own console.
func (t *Trust) Console() *Principal { return &Principal{Role: RoleConsole} }

// Now returns the time by which access ends.
func (t *Trust) Now() time.Time { return t.options.Now() }

// ClockBelievable reports whether the local clock can be right.
func (t *Trust) ClockBelievable() bool { return true }

// Owned reports whether there is an owner.
func (t *Trust) Owned() bool { return false }

// Pairing is an open pairing.
type Pairing struct {
	// Secret is 16 bytes in base64url.
	Secret string
	// Expires is when it ends, by the local clock.
	Expires time.Time
}

// StartPairing lets one claim make an owner.
func (t *Trust) StartPairing(reset bool) (Pairing, error) { _ = reset; return Pairing{}, errSoon }

// ClaimOpen reports whether a claim of a kind would be looked at.
func (t *Trust) ClaimOpen(kind string) bool { _ = kind; return false }

// ClaimLocked returns a *LockedError while claims are locked, else nil.
func (t *Trust) ClaimLocked() error { return nil }

// ClaimRequest is a claim of a viewer.
type ClaimRequest struct {
	// Kind is access.ClaimPair or access.ClaimInvite; Invite the invite's jti.
	Kind, Invite string
	// Proof is the viewer's, for the session with this Transcript.
	Proof, Transcript string
	Viewer            identity.PeerID
	// Name and Device are what the viewer calls its person and its device.
	Name, Device string
}

// ClaimResult is what a claim gave.
type ClaimResult struct {
	// Proof is the publisher's.
	Proof string
	// Role is RoleOwner or RoleGuest.
	Role Role
	// Grant is a guest's, compact; "" for an owner.
	Grant string
	// Home is the home's id, or "".
	Home string
	// Name is what the giver called the guest, or the owner itself.
	Name string
}

// Claim checks a claim and gives what it is for.
func (t *Trust) Claim(ClaimRequest) (ClaimResult, error) { return ClaimResult{}, errSoon }

// AddInvite keeps an invite and its secret until somebody comes with it.
func (t *Trust) AddInvite(p *Principal, invite, secret string) error {
	_, _, _ = p, invite, secret
	return errSoon
}

// RemoveInvite forgets an invite.
func (t *Trust) RemoveInvite(p *Principal, jti string) error { _, _ = p, jti; return errSoon }

// ConsoleInvite makes an invite that this publisher signs, for itself alone.
func (t *Trust) ConsoleInvite(scope access.Scope, name string, lifetime time.Duration) (jti, secret string, err error) {
	_, _, _ = scope, name, lifetime
	return "", "", errSoon
}

// PutList takes in an access list.
func (t *Trust) PutList(p *Principal, compact string) error { _, _ = p, compact; return errSoon }

// State returns who may do what.
func (t *Trust) State() AccessState { return AccessState{} }

// RevokeHere revokes a peer, a grant or an invite at this publisher only.
func (t *Trust) RevokeHere(id string) (access.Revocation, error) {
	_ = id
	return access.Revocation{}, errSoon
}
