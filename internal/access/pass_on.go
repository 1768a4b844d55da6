package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// DefaultInviteLifetime is how long an invite waits unless told otherwise.
const DefaultInviteLifetime = 24 * time.Hour

// InviteRequest says what NewInvite is to make.
type InviteRequest struct {
	// Redeemer is the publisher that will know the secret and make the grant.
	Redeemer identity.PeerID
	// Audience is a home, or one publisher; default Redeemer. With Parent, ""
	// stands for the parent's.
	Audience string
	// Name is what the giver calls the guest.
	Name string
	// Scope is what the guest may do.
	Scope Scope
	// Lifetime is how long the invite waits, at most MaxInviteLifetime; default
	// DefaultInviteLifetime.
	Lifetime time.Duration
	// Owner makes the guest an owner. Then an empty Scope stands for
	// everything, without end.
	Owner bool
	// Parent is the grant that the issuer passes on; nil if id is an owner's or
	// the publisher's.
	Parent *Grant
}

// NewInvite makes an invite and the secret that goes into its link. The error
// wraps ErrScope if more would be passed on than there is, and ErrTooLong if the
// grant made of it would not fit.
func NewInvite(id *identity.Identity, r InviteRequest, now time.Time) (compact, secret string, err error) {
	v := r.invite(id.PeerID(), now)
	if r.Parent != nil {
		if err := r.Parent.passable(id.PeerID(), v.Scope); err != nil {
			return "", "", err
		}
	}
	secret = NewToken()
	raw, err := ParseSecret(secret)
	if err != nil {
		return "", "", err
	}
	v.Commit = CommitOf(raw)
	if compact, err = SignInvite(id, v); err != nil {
		return "", "", err
	}
	parsed, err := ParseInvite(compact)
	if err != nil {
		return "", "", err
	}
	if !v.Owner && !parsed.redeemable() {
		return "", "", ErrTooLong
	}
	return compact, secret, nil
}

func (r InviteRequest) invite(issuer identity.PeerID, now time.Time) Invite {
	if r.Lifetime == 0 {
		r.Lifetime = DefaultInviteLifetime
	}
	if r.Parent != nil && r.Audience == "" {
		r.Audience = r.Parent.Audience
	}
	if r.Audience == "" {
		r.Audience = string(r.Redeemer)
	}
	if r.Owner && len(r.Scope.Rights) == 0 {
		r.Scope = Scope{Rights: AllRights(), Cameras: []string{AnyCamera}, Pass: true}
	}
	v := Invite{
		Issuer: issuer, Audience: r.Audience, ID: NewToken(), Issued: now.Unix(), Expires: now.Add(r.Lifetime).Unix(),
		Redeemer: r.Redeemer, Name: r.Name, Scope: r.Scope, Owner: r.Owner,
	}
	if r.Parent != nil {
		v.Proof = r.Parent.compact
	}
	return v
}

// redeemable reports whether a grant made of the invite will be short enough,
// with no name of the guest's device if need be.
func (v *Invite) redeemable() bool {
	const header, signature = 256, 86 // characters
	d, err := depth{grants: 1}.invite()
	if err != nil {
		return false
	}
	if _, err = parseInvite(v.compact, d); err != nil {
		return false // one token too many
	}
	p := v.grantFor(v.Redeemer, "", time.Unix(maxInt, 0)).payload()
	payload, err := json.Marshal(p)
	return err == nil && header+base64.RawURLEncoding.EncodedLen(len(payload))+signature+2 <= MaxGrant
}

// grantFor is the grant that the invite's redeemer makes of it.
func (v *Invite) grantFor(holder identity.PeerID, device string, now time.Time) *Grant {
	return &Grant{
		Issuer: v.Redeemer, Holder: holder, Audience: v.Audience, ID: NewToken(), Issued: now.Unix(),
		Name: v.Name, Device: device, Scope: v.Scope, Proof: v.compact,
	}
}

// Redeem makes the grant that an invite promises. The publisher calls it after
// Authority.CheckInvite and the proof of the secret, once; id must be that of the
// invite's redeemer, and the invite must not make an owner. The device's name is
// left out where there is no room for it.
func Redeem(id *identity.Identity, v *Invite, holder identity.PeerID, device string, now time.Time) (string, error) {
	if v.Redeemer != id.PeerID() || v.Owner {
		return "", fmt.Errorf("redeem an invite: %w", ErrIssuer)
	}
	compact, err := SignGrant(id, *v.grantFor(holder, device, now))
	if errors.Is(err, ErrTooLong) {
		return SignGrant(id, *v.grantFor(holder, "", now))
	}
	return compact, err
}

// Recipient is whom a grant is made for.
type Recipient struct {
	Peer         identity.PeerID
	Name, Device string // at most MaxName code points each
}

// NewGrant makes a grant for a peer whose key is known. The issuer is an owner,
// and audience a home or a publisher; or a publisher for itself.
func NewGrant(id *identity.Identity, audience string, to Recipient, scope Scope, now time.Time) (string, error) {
	return signAndRead(id, Grant{
		Holder: to.Peer, Audience: audience, ID: NewToken(), Issued: now.Unix(), Name: to.Name, Device: to.Device, Scope: scope,
	})
}

// PassOn makes a grant out of one that id holds. The error wraps ErrScope if the
// scope is not within the parent's or the parent may not be passed on, and
// ErrTooLong if the result does not fit.
func PassOn(id *identity.Identity, parent *Grant, to Recipient, scope Scope, now time.Time) (string, error) {
	if err := parent.passable(id.PeerID(), scope); err != nil {
		return "", err
	}
	return signAndRead(id, Grant{
		Holder: to.Peer, Audience: parent.Audience, ID: NewToken(), Issued: now.Unix(), Name: to.Name, Device: to.Device,
		Scope: scope, Proof: parent.compact,
	})
}

// signAndRead signs a grant and makes sure that it will be read, its chain
// included.
func signAndRead(id *identity.Identity, g Grant) (string, error) {
	compact, err := SignGrant(id, g)
	if err != nil {
		return "", err
	}
	if _, err := ParseGrant(compact); err != nil {
		return "", err
	}
	return compact, nil
}

// passable reports whether giver may pass scope on by g.
func (g *Grant) passable(giver identity.PeerID, scope Scope) error {
	if g.Holder != giver {
		return fmt.Errorf("pass on a grant: %w", ErrHolder)
	}
	if !g.Scope.Pass {
		return fmt.Errorf("%w: it may not be passed on; ask whoever gave it", ErrScope)
	}
	return scope.Within(g.Scope)
}

// Narrow returns what of a scope can be given by somebody who has parent: the
// rights and cameras that both have, until the earlier end. The error wraps
// ErrScope if nothing is left.
func (s Scope) Narrow(parent Scope) (Scope, error) {
	out := Scope{Pass: s.Pass && parent.Pass, Expires: earlier(s.Expires, parent.Expires)}
	for _, r := range s.Rights {
		if slices.Contains(parent.Rights, r) {
			out.Rights = append(out.Rights, r)
		}
	}
	for _, c := range append(append([]string{}, s.Cameras...), parent.Cameras...) {
		if s.covers(c) && parent.covers(c) && !out.covers(c) {
			out.Cameras = append(out.Cameras, c)
		}
	}
	if err := out.Validate(); err != nil {
		return Scope{}, fmt.Errorf("%w: nothing of it is there to be given", ErrScope)
	}
	return out, nil
}
