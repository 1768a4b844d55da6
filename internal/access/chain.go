package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// depth counts the tokens of a chain from the outside in.
type depth struct{ tokens, grants int }

var errDepth = errors.New("passed on too often")

func (d depth) grant() (depth, error) {
	d.grants++
	return d.invite()
}

func (d depth) invite() (depth, error) {
	d.tokens++
	if d.tokens > MaxChain || d.grants > MaxGrants {
		return d, check.Refused(check.Form, fmt.Errorf("%w: %w", ErrToken, errDepth))
	}
	return d, nil
}

// parseProof reads the parent of a token. Its header says which of the two kinds
// it is; that claim is checked together with the signature.
func parseProof(compact string, d depth) (*Invite, *Grant, error) {
	if compact == "" {
		return nil, nil, nil
	}
	header, _, _ := strings.Cut(compact, ".")
	var claims struct {
		Type string `json:"typ"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err == nil && json.Unmarshal(raw, &claims) == nil && claims.Type == InviteType {
		v, err := parseInvite(compact, d)
		return v, nil, err
	}
	g, err := parseGrant(compact, d)
	return nil, g, err
}

// link is what a grant and an invite have in common as parts of a chain.
type link struct {
	issuer   identity.PeerID
	receiver identity.PeerID // who may issue what follows
	audience string
	id       string
	expires  int64 // of what is in force now; an invite's own end is not
	scope    Scope
	owner    bool

	deadline int64 // an invite's own end; 0 for a grant
	issued   int64
	parent   *link
}

func (g *Grant) link() *link {
	l := &link{
		issuer: g.Issuer, receiver: g.Holder, audience: g.Audience, id: g.ID,
		expires: g.Scope.Expires, scope: g.Scope, issued: g.Issued,
	}
	switch {
	case g.invite != nil:
		l.parent = g.invite.link()
	case g.grant != nil:
		l.parent = g.grant.link()
	}
	return l
}

func (v *Invite) link() *link {
	l := &link{
		issuer: v.Issuer, receiver: v.Redeemer, audience: v.Audience, id: v.ID,
		expires: v.Scope.Expires, scope: v.Scope, owner: v.Owner, deadline: v.Expires, issued: v.Issued,
	}
	if v.grant != nil {
		l.parent = v.grant.link()
	}
	return l
}

// mayBePassedOn reports whether what is made of l may be made at all: a grant
// says so in its scope, an invite is there for it.
func (l *link) mayBePassedOn() bool { return l.deadline != 0 || l.scope.Pass }
