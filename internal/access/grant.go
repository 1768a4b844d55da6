package access

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// MaxGrant is the longest grant, in bytes, everything inside it included.
	MaxGrant = 6 << 10
	// MaxChain is how many tokens a chain may have.
	MaxChain = 4
	// MaxGrants is how many tokens of a chain may be grants.
	MaxGrants = 3
)

// Grant says what its holder may do.
type Grant struct {
	// Issuer signed it: an owner, somebody who passes on a grant, or the
	// publisher where an invite was redeemed or that stands alone.
	Issuer identity.PeerID
	// Holder is whom it is for. It is worth nothing to anybody else.
	Holder identity.PeerID
	// Audience is the id of a home, or the PeerID of the one publisher where
	// the grant is good.
	Audience string
	// ID is its jti, a token of TokenSize bytes.
	ID string
	// Issued is when it was made, in seconds since 1970 by the issuer's clock.
	Issued int64
	// Name is what the giver calls the holder, Device what the holder calls the
	// device: at most MaxName code points, may be "".
	Name, Device string
	// Scope is what it gives.
	Scope Scope
	// Proof is the compact parent, an invite or a grant; "" at the root.
	Proof string

	// of a parsed grant
	compact string
	invite  *Invite // the parent, or nil
	grant   *Grant  // the parent, or nil
}

type confirmation struct {
	KeyID identity.PeerID `json:"kid"`
}

// grantPayload is the payload, and all that may be in it.
type grantPayload struct {
	Issuer   identity.PeerID `json:"iss"`
	Subject  identity.PeerID `json:"sub"`
	Confirm  confirmation    `json:"cnf"`
	Audience string          `json:"aud"`
	ID       string          `json:"jti"`
	Issued   int64           `json:"iat"`
	Expires  int64           `json:"exp"`
	Name     string          `json:"name"`
	Device   string          `json:"device"`
	Rights   []Right         `json:"rights"`
	Cameras  []string        `json:"cameras"`
	Pass     bool            `json:"pass"`
	Owner    bool            `json:"owner"`
	Proof    string          `json:"prf"`
}

// SignGrant signs a grant. Issuer is set to the PeerID of id; everything else
// must be there. It checks the form only: PassOn and Redeem check the rest.
func SignGrant(id *identity.Identity, g Grant) (string, error) {
	g.Issuer = id.PeerID()
	if err := g.validate(); err != nil {
		return "", err
	}
	return sign(id, GrantType, MaxGrant, g.payload())
}

func (g *Grant) payload() grantPayload {
	return grantPayload{
		Issuer: g.Issuer, Subject: g.Holder, Confirm: confirmation{g.Holder}, Audience: g.Audience, ID: g.ID,
		Issued: g.Issued, Expires: g.Scope.Expires, Name: g.Name, Device: g.Device,
		Rights: g.Scope.Rights, Cameras: g.Scope.Cameras, Pass: g.Scope.Pass, Proof: g.Proof,
	}
}

// ParseGrant reads a grant and everything inside it: the signatures, who signed
// and the form. What it is worth here and now is said by Authority.Check.
// Errors wrap ErrToken.
func ParseGrant(compact string) (*Grant, error) { return parseGrant(compact, depth{}) }

func parseGrant(compact string, d depth) (*Grant, error) {
	d, err := d.grant()
	if err != nil {
		return nil, err
	}
	var p grantPayload
	from, err := open(GrantType, compact, MaxGrant, &p)
	if err != nil {
		return nil, err
	}
	if err := signedBy(from, p.Issuer); err != nil {
		return nil, err
	}
	g := &Grant{
		Issuer: p.Issuer, Holder: p.Subject, Audience: p.Audience, ID: p.ID, Issued: p.Issued, Name: p.Name, Device: p.Device,
		Scope: Scope{Rights: p.Rights, Cameras: p.Cameras, Pass: p.Pass, Expires: p.Expires},
		Proof: p.Proof, compact: compact,
	}
	if err := g.validate(); err != nil {
		return nil, check.Refused(check.Form, err)
	}
	if p.Confirm.KeyID != p.Subject || p.Owner {
		return nil, check.Refused(check.Form, fmt.Errorf("%w: cnf is not sub, or a grant makes an owner", ErrToken))
	}
	if g.invite, g.grant, err = parseProof(p.Proof, d); err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Grant) validate() error {
	if g.Issuer.Validate() != nil || g.Holder.Validate() != nil {
		return fmt.Errorf("%w: iss or sub is not a peer id", ErrToken)
	}
	if err := validateAudience(g.Audience); err != nil {
		return err
	}
	if err := ValidateToken(g.ID, TokenSize); err != nil {
		return err
	}
	if err := validateTime("iat", g.Issued, 0); err != nil {
		return err
	}
	if err := validateName("name", g.Name); err != nil {
		return err
	}
	if err := validateName("device", g.Device); err != nil {
		return err
	}
	return g.Scope.Validate()
}

// Compact returns the text that the grant was parsed from.
func (g *Grant) Compact() string { return g.compact }

// Parent returns the grant that this one was passed on from, or nil.
func (g *Grant) Parent() *Grant { return g.grant }

// Invite returns the invite that this grant was made of, or nil.
func (g *Grant) Invite() *Invite { return g.invite }
