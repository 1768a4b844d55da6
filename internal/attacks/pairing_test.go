package attacks

import (
	"errors"
	"net/http"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/signaling"
)

// pairingAttacks want to become the owner, or to get what an invite is for.
func pairingAttacks() []attack {
	return []attack{
		{"pairing-secret-guessed", check.Proof, "wrong_proof", guessedSecret},
		{"pairing-through-a-man-in-the-middle", check.Proof, "wrong_proof", pairedThroughRelay},
		{"pairing-secret-guessed-many-times", check.Lock, "locked", manyGuesses},
		{"pairing-secret-used-twice", check.Once, "", usedSecret},
		{"invite-used-twice", check.Once, "", usedInvite},
	}
}

// guessedSecret claims an agent that waits for its owner.
func guessedSecret(w *world) act {
	s := w.site(siteOptions{})
	return act{
		control: func() error {
			_, err := s.pair(w.newIdentity())
			return err
		},
		attempt: func() error {
			if _, err := s.pairingSecret(true); err != nil {
				return err
			}
			_, err := s.claim(w.newIdentity(), claiming{kind: access.ClaimPair, secret: access.NewToken()})
			return refusedIfDenied(err)
		},
		refused: s.refused(check.Proof),
	}
}

// pairedThroughRelay sits between the owner's device and the agent while they
// pair, and passes the proof on. It got there because the owner's device and the
// agent take anybody's signature: the proof is good for their own session only,
// and the two ends have two.
func pairedThroughRelay(w *world) act {
	w = w.fallen(check.Sender)
	server := w.hostileServer()
	s := w.site(siteOptions{signal: server.URL()})
	return act{
		control: func() error {
			_, err := s.pair(w.newIdentity())
			return err
		},
		attempt: func() error {
			secret, err := s.pairingSecret(true)
			if err != nil {
				return err
			}
			relay := w.relay(server)
			_, err = s.claim(w.newIdentity(), claiming{kind: access.ClaimPair, secret: secret, gullible: true})
			if e := relay.Err(); e != nil {
				return e
			}
			return refusedIfDenied(err)
		},
		refused: s.refused(check.Proof),
	}
}

// tries is more than anybody may have.
const tries = 8

// manyGuesses goes on guessing.
func manyGuesses(w *world) act {
	s := w.site(siteOptions{})
	return act{
		control: func() error {
			_, err := s.pair(w.newIdentity())
			return err
		},
		attempt: func() error {
			if _, err := s.pairingSecret(true); err != nil {
				return err
			}
			guesser := w.newIdentity()
			for range tries {
				_, err := s.claim(guesser, claiming{kind: access.ClaimPair, secret: access.NewToken()})
				var a *apiAnswer
				var r *rejection
				switch {
				case errors.As(err, &a) && a.Status == http.StatusForbidden:
					continue // heard, and wrong
				case errors.As(err, &a) && a.Status == http.StatusTooManyRequests, errors.As(err, &r) && r.code == signaling.RejectLocked:
					return refusedBy(err)
				case err == nil:
					return errors.New("a guess was right")
				}
				return err
			}
			return nil
		},
		refused: s.refused(check.Lock),
	}
}

// usedSecret uses the owner's link once more.
func usedSecret(w *world) act {
	s := w.site(siteOptions{})
	return act{
		control: func() error {
			_, err := s.pair(w.newIdentity())
			return err
		},
		attempt: func() error {
			secret, err := s.pairingSecret(true)
			if err != nil {
				return err
			}
			c := claiming{kind: access.ClaimPair, secret: secret}
			if _, err := s.claim(w.newIdentity(), c); err != nil {
				return err
			}
			second := w.newIdentity()
			if _, err := s.claim(second, c); err != nil {
				return refusedIfDenied(err)
			}
			return s.visit(second)
		},
		refused: s.refused(check.Once),
	}
}

// usedInvite uses a guest's link once more.
func usedInvite(w *world) act {
	s := w.site(siteOptions{})
	redeem := func(n int) error {
		a, err := s.console(http.MethodPost, "/v1/console/invites", map[string]any{
			"name": "Guest", "rights": []string{"live"}, "cameras": []string{"*"}, "expires": 0, "pass": false,
		})
		if err != nil {
			return err
		}
		var link struct{ Invite string }
		if err := a.decode(&link); err != nil {
			return err
		}
		const jti = 22 // characters
		if len(link.Invite) <= jti {
			return errors.New("no invite")
		}
		for range n {
			guest := w.newIdentity()
			got, err := s.claim(guest, claiming{kind: access.ClaimInvite, invite: link.Invite[:jti], secret: link.Invite[jti+1:]})
			if err == nil {
				err = s.visit(guest, got.Grant)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return act{
		control: func() error { return redeem(1) },
		attempt: func() error { return refusedIfDenied(redeem(2)) },
		refused: s.refused(check.Once),
	}
}
