package attacks

import (
	"errors"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
)

// listAttacks want to be let in by a device that does not know better, or to
// make it forget.
func listAttacks() []attack {
	return []attack{
		{"revoked-peer-at-a-second-publisher", check.Revoked, "forbidden", revokedElsewhere(false)},
		{"revoked-peer-at-a-device-that-was-offline", check.Revoked, "forbidden", revokedElsewhere(true)},
		{"access-list-of-a-stranger", check.ListSigner, "", strangersList},
		{"old-access-list-put-back", check.ListVersion, "", oldList},
		{"access-list-changed-by-a-guest", check.Right, "403", guestsList},
	}
}

// revokedElsewhere revokes a guest at one publisher of a home and lets the guest
// try at the other, to which an owner's device brings the list. offline: that one
// was off meanwhile.
func revokedElsewhere(offline bool) func(w *world) act {
	return func(w *world) act {
		h := w.home(2)
		first, second := h.sites[0], h.sites[1]
		guest := w.newIdentity()
		var g string
		comeIn := func() (err error) {
			if err := h.found(); err != nil {
				return err
			}
			if g, err = grant(h.owner, guest, h.id, everything()); err != nil {
				return err
			}
			return errors.Join(first.visit(guest, g), second.visit(guest, g))
		}
		return act{
			control: comeIn,
			attempt: func() error {
				if err := comeIn(); err != nil {
					return err
				}
				if offline {
					second.program.stop(w)
				}
				list, err := h.revoke(access.RevokedPeer, string(guest.PeerID()))
				if err != nil {
					return err
				}
				if err := h.put(first, list); err != nil {
					return err
				}
				if offline {
					second.run()
				}
				if err := h.put(second, list); err != nil {
					return err
				}
				return refusedIfDenied(second.visit(guest, g))
			},
			refused: second.refused(check.Revoked),
		}
	}
}

// strangersList gives an agent a list of somebody's making. It comes by an
// owner's device that does not look at what it carries.
func strangersList(w *world) act {
	h := w.home(1)
	s, stranger := h.sites[0], w.newIdentity()
	return act{
		control: h.found,
		attempt: func() error {
			if err := h.found(); err != nil {
				return err
			}
			list, err := access.SignList(stranger, access.List{
				Home: h.id, Version: h.version + 1, Previous: h.previous, Time: time.Now().Unix(),
				Owners: []access.Owner{
					{ID: h.owner.PeerID(), Name: "Owner", Device: "a test"}, {ID: stranger.PeerID(), Name: "Owner too", Device: "a test"},
				},
			})
			if err != nil {
				return err
			}
			if err := h.put(s, list); err != nil {
				return refusedIfDenied(err)
			}
			return s.visit(stranger)
		},
		refused: s.refused(check.ListSigner),
	}
}

// oldList puts the list back that was in force before somebody was put out.
func oldList(w *world) act {
	h := w.home(1)
	s, guest := h.sites[0], w.newIdentity()
	return act{
		control: h.found,
		attempt: func() error {
			first, err := h.sign()
			if err == nil {
				err = h.put(s, first)
			}
			if err != nil {
				return err
			}
			g, err := grant(h.owner, guest, h.id, everything())
			if err != nil {
				return err
			}
			list, err := h.revoke(access.RevokedPeer, string(guest.PeerID()))
			if err == nil {
				err = h.put(s, list)
			}
			if err != nil {
				return err
			}
			if err := s.visit(guest, g); err == nil {
				return errors.New("the guest was revoked, and is let in")
			}
			if err := h.put(s, first); err != nil {
				return refusedIfDenied(err)
			}
			return s.visit(guest, g)
		},
		refused: s.refused(check.ListVersion),
	}
}

// guestsList lets a guest, who may administer and is no owner, make itself one.
func guestsList(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	return act{
		control: h.found,
		attempt: func() error {
			if err := h.found(); err != nil {
				return err
			}
			guest := w.newIdentity()
			g, err := grant(h.owner, guest, h.id, everything())
			if err != nil {
				return err
			}
			list, err := h.sign()
			if err != nil {
				return err
			}
			return refusedIfDenied(s.as(guest, []string{g}, func(c *session) error { return putList(w.ctx, c, list) }))
		},
		refused: s.refused(check.Right),
	}
}
