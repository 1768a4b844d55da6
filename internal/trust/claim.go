package trust

import (
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// ClaimRequest is a viewer's claim of a pairing or an invite.
type ClaimRequest struct {
	// Kind is access.ClaimPair or access.ClaimInvite; Invite is the invite's jti.
	Kind, Invite string
	// Proof is the viewer's, for the session with this Transcript.
	Proof, Transcript string
	Viewer            identity.PeerID
	// Name and Device are what the viewer calls its person and its device, at
	// most access.MaxName code points each.
	Name, Device string
}

// ClaimResult is what a claim gave.
type ClaimResult struct {
	// Proof is the publisher's own.
	Proof string
	// Role is RoleOwner or RoleGuest.
	Role Role
	// Grant is a guest's, compact; "" for an owner.
	Grant string
	// Home is the home's id, "" without one.
	Home string
	// Name is what the giver calls the guest, or the owner itself.
	Name string
}

// Claim checks a claim and gives what it is for; that is on disk before it
// returns. Errors: a *LockedError (check.Lock), ErrWrongProof (check.Proof), ErrUsed
// (check.Once), ErrExpiredClaim or access.ErrExpired, access.ErrToken for names that
// cannot be shown, and for an invite also what access.Authority.CheckInvite
// returns. After five wrong proofs of a viewer its claims are locked for a minute,
// then for longer; after a hundred of all viewers together, those of all.
func (t *Trust) Claim(c ClaimRequest) (ClaimResult, error) {
	if err := c.validate(); err != nil {
		return ClaimResult{}, check.Refused(check.Form, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ClaimLockedFor(c.Viewer); err != nil {
		return ClaimResult{}, err
	}
	if c.Kind == access.ClaimPair {
		return t.pair(c)
	}
	return t.redeem(c)
}

func (c ClaimRequest) validate() error {
	if c.Kind != access.ClaimPair && c.Kind != access.ClaimInvite {
		return fmt.Errorf("%w: a claim is for a pairing or an invite", access.ErrToken)
	}
	if err := c.Viewer.Validate(); err != nil {
		return err
	}
	if err := access.ValidateName("name", c.Name); err != nil {
		return err
	}
	return access.ValidateName("device", c.Device)
}

// redeem exchanges an invite for a grant, or makes an owner of the viewer. Its
// caller holds mu.
func (t *Trust) redeem(c ClaimRequest) (ClaimResult, error) {
	s := t.state.Load()
	i := slices.IndexFunc(s.invites, func(r inviteRecord) bool { return r.invite.ID == c.Invite })
	if i < 0 {
		return ClaimResult{}, ErrExpiredClaim // nobody learns anything by guessing
	}
	r := s.invites[i]
	if err := t.proved(r.secret, c); err != nil {
		return ClaimResult{}, err
	}
	if err := once(r.used); err != nil {
		return ClaimResult{}, err
	}
	now := t.Now()
	if err := s.judgeInvite(r.invite, now); err != nil {
		return ClaimResult{}, err
	}
	result := ClaimResult{Role: RoleOwner, Home: s.home(), Name: c.Name, Proof: t.proof(r.secret, c)}
	next := s.next()
	next.invites = slices.Clone(s.invites)
	r.used, r.grant = true, nil
	if r.invite.Owner {
		if err := next.addPending(c, r.invite, now.Unix()); err != nil {
			return ClaimResult{}, err
		}
	} else {
		g, err := t.grantFor(s, r.invite, c)
		if err != nil {
			return ClaimResult{}, err
		}
		result.Role, result.Grant, result.Name = RoleGuest, g.Compact(), g.Name
		r.grant = g
	}
	next.invites[i] = r
	if err := t.store.saveClaims(next); err != nil {
		return ClaimResult{}, fmt.Errorf("nothing was given, since that cannot be written down: %w", err)
	}
	t.put(next)
	if r.grant != nil {
		t.keepRedeemed(i)
	}
	return result, nil
}

// keepRedeemed puts the grant of a redeemed invite where it belongs. Then the copy
// is forgotten; the next time that invites are written down it will not be there.
func (t *Trust) keepRedeemed(invite int) {
	g := t.state.Load().invites[invite].grant
	h := t.keepGrants(g.Holder, []*access.Grant{g}, 0)
	if h == nil || !t.saveHolder(g.Holder, h) {
		return
	}
	next := t.state.Load().next()
	next.invites = slices.Clone(next.invites)
	next.invites[invite].grant = nil
	t.put(next)
}

// grantFor makes the grant that an invite promises, if it counts for the viewer.
func (t *Trust) grantFor(s *state, v *access.Invite, c ClaimRequest) (*access.Grant, error) {
	now := t.Now()
	compact, err := access.Redeem(t.options.Publisher, v, c.Viewer, c.Device, now)
	if err != nil {
		return nil, err
	}
	g, err := access.ParseGrant(compact)
	if err != nil {
		return nil, err
	}
	return g, s.judge(g, c.Viewer, now)
}

// addPending makes the viewer an owner until a list says that it is, or is not.
func (s *state) addPending(c ClaimRequest, v *access.Invite, now int64) error {
	if s.isOwner(c.Viewer) {
		return nil // with the name it has
	}
	if s.revoked(access.RevokedPeer, string(c.Viewer)) {
		return check.Refused(check.Revoked, access.ErrRevoked)
	}
	if len(s.owners())+len(s.pending) >= access.MaxOwners {
		return fmt.Errorf("%w owners; take one off the list first", ErrTooMany)
	}
	s.pending = append(slices.Clone(s.pending), pendingOwner{
		ID: c.Viewer, Name: c.Name, Device: c.Device, Since: now, invite: v,
	})
	return nil
}
