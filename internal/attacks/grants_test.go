package attacks

import (
	"bytes"
	"errors"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// grantAttacks show an agent grants that give nothing.
func grantAttacks() []attack {
	return []attack{
		{"grant-forged-by-its-holder", check.Issuer, "forbidden", badGrant(check.Issuer, ownGrant)},
		{"grant-of-another-owner", check.Issuer, "forbidden", badGrant(check.Issuer, otherOwner)},
		{"grant-forged-in-the-owners-name", check.Sender, "forbidden", badGrant(check.Sender, inOwnersName)},
		{"grant-altered", check.Signature, "forbidden", badGrant(check.Signature, altered)},
		{"grant-alg-none", check.Algorithm, "forbidden", badGrant(check.Algorithm, grantAlgNone)},
		{"grant-key-confusion-hs256", check.Algorithm, "forbidden", badGrant(check.Algorithm, grantKeyConfusion)},
		{"grant-of-another-holder", check.Holder, "forbidden", badGrant(check.Holder, othersGrant)},
		{"grant-for-another-publisher", check.Audience, "forbidden", badGrant(check.Audience, elsewhere)},
		{"grant-expired", check.Expiry, "forbidden", badGrant(check.Expiry, expiredGrant)},
		{"grant-widened-when-passed-on", check.Narrowing, "forbidden", badGrant(check.Narrowing, widened)},
		{"grant-passed-on-without-leave", check.Narrowing, "forbidden", badGrant(check.Narrowing, passedOn)},
		{"grant-revoked", check.Revoked, "forbidden", revokedGrant},
		{"right-that-a-narrow-grant-lacks", check.Right, "403", lackingRight},
		{"camera-that-a-narrow-grant-lacks", check.Right, "forbidden", lackingCamera},
	}
}

// thief wants to get in by a grant. The agent's owner has given one to the
// friend.
type thief struct {
	home          *home
	site          *site
	thief, friend *identity.Identity
}

// badGrant stages an attack by a grant.
func badGrant(n check.Name, forge func(t *thief) (string, error)) func(w *world) act {
	return func(w *world) act {
		h := w.home(1)
		t := &thief{home: h, site: h.sites[0], thief: w.newIdentity(), friend: w.newIdentity()}
		return act{
			control: func() error {
				g, err := grant(h.owner, t.friend, string(t.site.id), everything())
				if err != nil {
					return err
				}
				return t.site.visit(t.friend, g)
			},
			attempt: func() error {
				g, err := forge(t)
				if err != nil {
					return err
				}
				return refusedIfDenied(t.site.visit(t.thief, g))
			},
			refused: t.site.refused(n),
		}
	}
}

func ownGrant(t *thief) (string, error) {
	return grant(t.thief, t.thief, string(t.site.id), everything())
}

func otherOwner(t *thief) (string, error) {
	return grant(t.home.w.home(1).owner, t.thief, string(t.site.id), everything())
}

// ownersGrant is the payload of a grant by the owner for the thief.
func (t *thief) ownersGrant() ([]byte, error) {
	g, err := grant(t.home.owner, t.thief, string(t.site.id), everything())
	if err != nil {
		return nil, err
	}
	return payloadText(g)
}

func inOwnersName(t *thief) (string, error) {
	text, err := t.ownersGrant()
	if err != nil {
		return "", err
	}
	return identity.SignTyped(t.thief, access.GrantType, text)
}

// altered is the friend's grant with the thief's name in it.
func altered(t *thief) (string, error) {
	g, err := grant(t.home.owner, t.friend, string(t.site.id), everything())
	if err != nil {
		return "", err
	}
	text, err := payloadText(g)
	if err != nil {
		return "", err
	}
	return withPayload(g, bytes.ReplaceAll(text, []byte(t.friend.PeerID()), []byte(t.thief.PeerID()))), nil
}

func grantAlgNone(t *thief) (string, error) {
	text, err := t.ownersGrant()
	if err != nil {
		return "", err
	}
	return withAlgNone(t.home.owner, access.GrantType, text)
}

func grantKeyConfusion(t *thief) (string, error) {
	text, err := t.ownersGrant()
	if err != nil {
		return "", err
	}
	return withHMAC(t.home.owner, access.GrantType, text)
}

func othersGrant(t *thief) (string, error) {
	return grant(t.home.owner, t.friend, string(t.site.id), everything())
}

// elsewhere is a grant by the same owner for another of the owner's cameras.
func elsewhere(t *thief) (string, error) {
	return grant(t.home.owner, t.thief, string(t.home.w.newIdentity().PeerID()), everything())
}

func expiredGrant(t *thief) (string, error) {
	scope := everything()
	scope.Expires = time.Now().Add(-time.Minute).Unix()
	return grant(t.home.owner, t.thief, string(t.site.id), scope)
}

// handDown makes a grant out of the friend's, without asking whether it may be.
func (t *thief) handDown(parent, child access.Scope) (string, error) {
	g, err := grant(t.home.owner, t.friend, string(t.site.id), parent)
	if err != nil {
		return "", err
	}
	return access.SignGrant(t.friend, access.Grant{
		Holder: t.thief.PeerID(), Audience: string(t.site.id), ID: access.NewToken(), Issued: time.Now().Unix(), Scope: child, Proof: g,
	})
}

// widened gives the thief all rights where the friend could pass on only one.
func widened(t *thief) (string, error) {
	return t.handDown(access.Scope{Rights: []access.Right{access.Events}, Cameras: []string{access.AnyCamera}, Pass: true}, everything())
}

func passedOn(t *thief) (string, error) { return t.handDown(everything(), everything()) }

// revokedGrant shows a grant that was taken back.
func revokedGrant(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	visit := func(revoke bool) error {
		guest := w.newIdentity()
		g, err := grant(h.owner, guest, string(s.id), everything())
		if err != nil || !revoke {
			return errors.Join(err, s.visit(guest, g))
		}
		parsed, err := access.ParseGrant(g)
		if err != nil {
			return err
		}
		list, err := h.revoke(access.RevokedGrant, parsed.ID)
		if err == nil {
			err = h.put(s, list)
		}
		if err != nil {
			return err
		}
		return refusedIfDenied(s.visit(guest, g))
	}
	return act{
		control: func() error { return visit(false) },
		attempt: func() error { return visit(true) },
		refused: s.refused(check.Revoked),
	}
}

// lackingRight reads the access list with a grant that allows to watch.
func lackingRight(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	ask := func(rights ...access.Right) error {
		guest := w.newIdentity()
		g, err := grant(h.owner, guest, string(s.id), access.Scope{Rights: rights, Cameras: []string{access.AnyCamera}})
		if err != nil {
			return err
		}
		return s.as(guest, []string{g}, func(c *session) error {
			a, err := c.call(w.ctx, http.MethodGet, "/v1/access", nil)
			if err == nil && a.Status != http.StatusOK {
				err = a
			}
			return err
		})
	}
	return act{
		control: func() error { return ask(access.Live, access.Admin) },
		attempt: func() error { return refusedIfDenied(ask(access.Live)) },
		refused: s.refused(check.Right),
	}
}

// lackingCamera asks for the picture of a camera with a grant for another.
func lackingCamera(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	watch := func(camera string) error {
		guest := w.newIdentity()
		g, err := grant(h.owner, guest, string(s.id), access.Scope{
			Rights: []access.Right{access.Live}, Cameras: []string{access.CameraOf(s.id, camera)},
		})
		if err != nil {
			return err
		}
		p, err := w.join(s.signal, guest)
		if err != nil {
			return err
		}
		defer p.hangUp()
		c, err := p.dial(w.ctx, dialing{publisher: s.id, grants: []string{g}, camera: "cam"})
		if err != nil {
			return err
		}
		defer c.close()
		return c.picture(w.ctx)
	}
	return act{
		control: func() error { return watch("cam") },
		attempt: func() error { return refusedIfDenied(watch("garden")) },
		refused: s.refused(check.Right),
	}
}
