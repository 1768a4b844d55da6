package attacks

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/viewer/whep"
)

// whepAttacks come by a player's way in.
func whepAttacks() []attack {
	return []attack{
		{"whep-without-a-token", check.Allowed, "401", playedWith(check.Allowed, noToken)},
		{"whep-token-at-another-camera", check.Right, "403", playedWith(check.Right, otherCamerasToken)},
		{"whep-token-of-a-guest-who-was-revoked", check.Revoked, "401", playedWith(check.Revoked, revokedGuestsToken)},
		{"whep-token-of-a-grant-that-has-expired", check.Expiry, "401", playedWith(check.Expiry, expiredGuestsToken)},
	}
}

// token asks the agent for a token for one of its cameras, with the access that
// a grant gives.
func (s *site) token(guest *identity.Identity, grant, camera string) (token string, err error) {
	return token, s.as(guest, []string{grant}, func(c *session) error {
		a, err := c.call(s.w.ctx, http.MethodPost, "/v1/whep-tokens", map[string]any{"camera": camera})
		if err != nil {
			return err
		}
		var t struct{ Token string }
		if err := a.decode(&t); err != nil {
			return err
		}
		token = t.Token
		return nil
	})
}

// play watches the first camera with a token, up to the picture.
func (s *site) play(token string) (*whep.Session, error) {
	p, err := whep.Dial(s.w.ctx, whep.Options{
		URL: s.base + "/whep/cam", Token: token, NoAudio: true, Timeout: patience, Loopback: true,
	})
	if err != nil {
		return nil, err
	}
	s.w.Cleanup(func() { _ = p.Close() })
	if _, _, err := p.ReadUnit(s.w.ctx); err != nil {
		return nil, fmt.Errorf("no picture: %w", err)
	}
	return p, nil
}

// refusedPlayer turns the status that a player is answered into the end of an
// attack.
func refusedPlayer(err error) error {
	var status *whep.StatusError
	if errors.As(err, &status) {
		return &refusal{says: fmt.Sprint(status.Status)}
	}
	return err
}

// playedWith stages an attack by a token that is not good.
func playedWith(n check.Name, token func(w *world, h *home) (string, error)) func(w *world) act {
	return func(w *world) act {
		h := w.home(1)
		s := h.sites[0]
		return act{
			control: func() error {
				guest := w.newIdentity()
				g, err := grant(h.owner, guest, string(s.id), everything())
				if err != nil {
					return err
				}
				t, err := s.token(guest, g, "cam")
				if err == nil {
					_, err = s.play(t)
				}
				return err
			},
			attempt: func() error {
				t, err := token(w, h)
				if err != nil {
					return err
				}
				_, err = s.play(t)
				return refusedPlayer(err)
			},
			refused: s.refused(n),
		}
	}
}

func noToken(*world, *home) (string, error) { return "", nil }

// otherCamerasToken was stolen from somebody who may watch the garden only.
func otherCamerasToken(w *world, h *home) (string, error) {
	guest, s := w.newIdentity(), h.sites[0]
	g, err := grant(h.owner, guest, string(s.id), access.Scope{
		Rights: []access.Right{access.Live}, Cameras: []string{access.CameraOf(s.id, "garden")},
	})
	if err != nil {
		return "", err
	}
	return s.token(guest, g, "garden")
}

// revokedGuestsToken was made before its guest was put out.
func revokedGuestsToken(w *world, h *home) (string, error) {
	guest, s := w.newIdentity(), h.sites[0]
	g, err := grant(h.owner, guest, string(s.id), everything())
	if err != nil {
		return "", err
	}
	token, err := s.token(guest, g, "cam")
	if err != nil {
		return "", err
	}
	list, err := h.revoke(access.RevokedPeer, string(guest.PeerID()))
	if err != nil {
		return "", err
	}
	return token, h.put(s, list)
}

// shortGrant makes a grant that ends soon, but lasts until it was used.
func shortGrant(w *world, h *home) (guest *identity.Identity, compact string, end time.Time, err error) {
	guest, scope := w.newIdentity(), everything()
	scope.Expires = time.Now().Add(h.atPace(8 * time.Second)).Unix()
	compact, err = grant(h.owner, guest, string(h.sites[0].id), scope)
	return guest, compact, time.Unix(scope.Expires, 0), err
}

// expiredGuestsToken was made before its guest's grant expired.
func expiredGuestsToken(w *world, h *home) (string, error) {
	guest, g, end, err := shortGrant(w, h)
	if err != nil {
		return "", err
	}
	token, err := h.sites[0].token(guest, g, "cam")
	if err != nil {
		return "", err
	}
	return token, w.until(func() (bool, error) { return time.Now().After(end), nil })
}
