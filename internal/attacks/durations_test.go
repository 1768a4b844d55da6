package attacks

import (
	"context"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
)

// durationAttacks watch on when the right to do so has ended.
func durationAttacks() []attack {
	return []attack{
		{"session-that-outlives-its-grant", check.Expiry, "ended", outlivesExpiry},
		{"whep-session-that-outlives-its-grant", check.Expiry, "ended", outlivedByPlayer},
		{"session-that-outlives-its-revocation", check.Revoked, "ended", outlivesRevocation},
	}
}

// endsWithin is how soon a session ends whose right to be has ended, on an idle
// machine.
const endsWithin = 4 * time.Second

// outlivesExpiry watches on after the grant has expired.
func outlivesExpiry(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	return act{
		control: func() error {
			guest := w.newIdentity()
			g, err := grant(h.owner, guest, string(s.id), everything())
			if err != nil {
				return err
			}
			return s.visit(guest, g)
		},
		attempt: func() error {
			guest, g, end, err := shortGrant(w, h)
			if err != nil {
				return err
			}
			return s.as(guest, []string{g}, func(c *session) error {
				if err := c.cameras(w.ctx); err != nil {
					return err
				}
				return c.outlives(w.ctx, time.Until(end)+h.soon(endsWithin))
			})
		},
		refused: s.refused(check.Expiry),
	}
}

// outlivesRevocation watches on after the owner has put the guest out.
func outlivesRevocation(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	return act{
		control: func() error {
			guest := w.newIdentity()
			g, err := grant(h.owner, guest, string(s.id), everything())
			if err != nil {
				return err
			}
			return s.visit(guest, g)
		},
		attempt: func() error {
			guest := w.newIdentity()
			g, err := grant(h.owner, guest, string(s.id), everything())
			if err != nil {
				return err
			}
			return s.as(guest, []string{g}, func(c *session) error {
				if err := c.cameras(w.ctx); err != nil {
					return err
				}
				list, err := h.revoke(access.RevokedPeer, string(guest.PeerID()))
				if err != nil {
					return err
				}
				if err := h.put(s, list); err != nil {
					return err
				}
				return c.outlives(w.ctx, h.soon(endsWithin))
			})
		},
		refused: s.refused(check.Revoked),
	}
}

// outlives returns nil if the session still works after d, and a *refusal if it
// was ended before.
func (s *session) outlives(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.conn.Done():
		return &refusal{says: "ended"}
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return s.cameras(ctx)
	}
}

// outlivedByPlayer plays on when the grant behind the token has ended.
func outlivedByPlayer(w *world) act {
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
			guest, g, end, err := shortGrant(w, h)
			if err != nil {
				return err
			}
			t, err := s.token(guest, g, "cam")
			if err != nil {
				return err
			}
			p, err := s.play(t)
			if err != nil {
				return err
			}
			timer := time.NewTimer(time.Until(end) + h.soon(endsWithin))
			defer timer.Stop()
			select {
			case <-p.Done():
				return &refusal{says: "ended"}
			case <-timer.C:
				_, _, err := p.ReadUnit(w.ctx)
				return err
			}
		},
		refused: s.refused(check.Expiry),
	}
}
