package access

import (
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// MaxInvite is the longest invite, in bytes. NewInvite also makes sure that
	// the grant made of it will fit into MaxGrant.
	MaxInvite = 4 << 10
	// MaxInviteLifetime is how long an invite may wait for its guest.
	MaxInviteLifetime = 7 * 24 * time.Hour
)

// Invite is made for somebody whose key is not known yet. Whoever has its secret
// gets a grant for it once, from the publisher it names.
type Invite struct {
	// Issuer signed it: an owner, somebody who may pass on a grant, or the
	// publisher itself, at its console.
	Issuer identity.PeerID
	// Audience is what the grant's will be: a home, or one publisher.
	Audience string
	// ID is its jti, a token of TokenSize bytes.
	ID string
	// Issued and Expires are when it was made and until when it can be
	// redeemed, in seconds since 1970, at most MaxInviteLifetime apart.
	Issued, Expires int64
	// Redeemer is the publisher that knows its secret.
	Redeemer identity.PeerID
	// Commit is the token of the SHA-256 of the secret's bytes.
	Commit string
	// Name is what the giver calls the guest; it goes into the grant.
	Name string
	// Scope is what the grant will give at most; its Expires ("grantExp") is
	// the grant's, not the invite's.
	Scope Scope
	// Owner makes whoever redeems it an owner, and no grant is made.
	Owner bool
	// Proof is the compact grant that is passed on; "" if the issuer is an
	// owner or the publisher.
	Proof string

	// of a parsed invite
	compact string
	grant   *Grant // the parent, or nil
}

// invitePayload is the payload, and all that may be in it.
type invitePayload struct {
	Issuer       identity.PeerID `json:"iss"`
	Audience     string          `json:"aud"`
	ID           string          `json:"jti"`
	Issued       int64           `json:"iat"`
	Expires      int64           `json:"exp"`
	Redeemer     identity.PeerID `json:"redeemer"`
	Commit       string          `json:"commit"`
	Name         string          `json:"name"`
	Rights       []Right         `json:"rights"`
	Cameras      []string        `json:"cameras"`
	Pass         bool            `json:"pass"`
	GrantExpires int64           `json:"grantExp"`
	Owner        bool            `json:"owner"`
	Proof        string          `json:"prf"`
}

// SignInvite signs an invite. Issuer is set to the PeerID of id; everything else
// must be there. It checks the form only: NewInvite checks the rest.
func SignInvite(id *identity.Identity, v Invite) (string, error) {
	v.Issuer = id.PeerID()
	if err := v.validate(); err != nil {
		return "", err
	}
	return sign(id, InviteType, MaxInvite, v.payload())
}

func (v *Invite) payload() invitePayload {
	return invitePayload{
		Issuer: v.Issuer, Audience: v.Audience, ID: v.ID, Issued: v.Issued, Expires: v.Expires,
		Redeemer: v.Redeemer, Commit: v.Commit, Name: v.Name,
		Rights: v.Scope.Rights, Cameras: v.Scope.Cameras, Pass: v.Scope.Pass, GrantExpires: v.Scope.Expires,
		Owner: v.Owner, Proof: v.Proof,
	}
}

// ParseInvite reads an invite and everything inside it: the signatures, who
// signed and the form. What it is worth is said by Authority.CheckInvite.
// Errors wrap ErrToken.
func ParseInvite(compact string) (*Invite, error) { return parseInvite(compact, depth{}) }

func parseInvite(compact string, d depth) (*Invite, error) {
	d, err := d.invite()
	if err != nil {
		return nil, err
	}
	var p invitePayload
	from, err := open(InviteType, compact, MaxInvite, &p)
	if err != nil {
		return nil, err
	}
	if err := signedBy(from, p.Issuer); err != nil {
		return nil, err
	}
	v := &Invite{
		Issuer: p.Issuer, Audience: p.Audience, ID: p.ID, Issued: p.Issued, Expires: p.Expires,
		Redeemer: p.Redeemer, Commit: p.Commit, Name: p.Name,
		Scope: Scope{Rights: p.Rights, Cameras: p.Cameras, Pass: p.Pass, Expires: p.GrantExpires},
		Owner: p.Owner, Proof: p.Proof, compact: compact,
	}
	if err := v.validate(); err != nil {
		return nil, check.Refused(check.Form, err)
	}
	parent, grant, err := parseProof(p.Proof, d)
	if err != nil {
		return nil, err
	}
	if parent != nil {
		return nil, check.Refused(check.Form, fmt.Errorf("%w: an invite for an invite", ErrToken))
	}
	v.grant = grant
	return v, nil
}

func (v *Invite) validate() error {
	if v.Issuer.Validate() != nil || v.Redeemer.Validate() != nil {
		return fmt.Errorf("%w: iss or redeemer is not a peer id", ErrToken)
	}
	if err := validateAudience(v.Audience); err != nil {
		return err
	}
	if err := ValidateToken(v.ID, TokenSize); err != nil {
		return err
	}
	if err := validateTime("iat", v.Issued, 0); err != nil {
		return err
	}
	if err := validateTime("exp", v.Expires, 1); err != nil {
		return err
	}
	if v.Expires-v.Issued > int64(MaxInviteLifetime/time.Second) || v.Expires <= v.Issued {
		return fmt.Errorf("%w: an invite lasts at most %d days", ErrToken, MaxInviteLifetime/(24*time.Hour))
	}
	if err := ValidateToken(v.Commit, HashSize); err != nil {
		return err
	}
	if err := validateName("name", v.Name); err != nil {
		return err
	}
	return v.Scope.Validate()
}

// Compact returns the text that the invite was parsed from.
func (v *Invite) Compact() string { return v.compact }

// Parent returns the grant that the invite passes on, or nil.
func (v *Invite) Parent() *Grant { return v.grant }
