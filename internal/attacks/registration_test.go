package attacks

import (
	"context"
	"fmt"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// registrationAttacks want somebody else's place at the signaling server.
func registrationAttacks() []attack {
	return []attack{
		{"register-a-victims-id", check.Registration, "unauthenticated", stolenPlace(victimsID)},
		{"register-twice-with-a-copied-proof", check.Registration, "unauthenticated", stolenPlace(copiedProof)},
		{"register-with-a-proof-for-another-server", check.Registration, "unauthenticated", stolenPlace(otherServersProof)},
	}
}

// stolenPlace stages an attack on a registration: the victim is registered, the
// thief sends a proof that is none, and a third one looks who gets the mail.
func stolenPlace(proof func(w *world, s *server, victim, thief *identity.Identity, x *wire) (string, error)) func(w *world) act {
	return func(w *world) act {
		s := w.server()
		victim, thief, friend := w.newIdentity(), w.newIdentity(), w.newIdentity()
		refused := s.refused(string(check.Registration))
		return act{
			control: func() error {
				a, err := w.join(s.base, victim)
				if err != nil {
					return err
				}
				defer a.hangUp()
				// With the proof the same key may come again, and takes over.
				b, err := w.join(s.base, victim)
				if err != nil {
					return err
				}
				defer b.hangUp()
				return getsMail(w, s, friend, victim, b.wire)
			},
			attempt: func() error {
				holder := w.mustJoin(s.base, victim)
				x, err := w.connect(s.base, nil, nil)
				if err != nil {
					return err
				}
				jws, err := proof(w, s, victim, thief, x)
				if err != nil {
					return err
				}
				err = x.registerBy(w.ctx, jws, thief.KeyStatement())
				if serverCode(err) != signaling.CodeUnauthenticated {
					if err == nil {
						err = getsMail(w, s, friend, victim, x)
					}
					return err
				}
				if err := getsMail(w, s, friend, victim, holder.wire); err != nil {
					return fmt.Errorf("the victim lost its place, although the thief was refused: %w", err)
				}
				return refusedBy(err)
			},
			refused: refused,
		}
	}
}

// getsMail checks that what a friend sends to the victim arrives at x.
func getsMail(w *world, s *server, friend, victim *identity.Identity, x *wire) error {
	f, err := w.join(s.base, friend)
	if err != nil {
		return err
	}
	defer f.hangUp()
	if err := f.send(w.ctx, victim.PeerID(), "a.b.c"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	d, err := x.receive(ctx)
	if err != nil {
		return fmt.Errorf("the message does not arrive: %w", err)
	}
	if d.From != friend.PeerID() || d.Payload != "a.b.c" {
		return fmt.Errorf("something else arrives: %+v", d)
	}
	return nil
}

// registration signs that id has a peer's place at a host.
func registration(id *identity.Identity, of identity.PeerID, nonce signaling.Token, host string) (string, error) {
	text := fmt.Sprintf(`{"type":"register","nonce":%q,"host":%q,"id":%q,"resume":""}`, nonce, host, of)
	return identity.Sign(id, []byte(text))
}

// victimsID claims the victim's id and signs with the thief's key.
func victimsID(w *world, _ *server, victim, thief *identity.Identity, x *wire) (string, error) {
	nonce, err := x.challenge(w.ctx)
	if err != nil {
		return "", err
	}
	return registration(thief, victim.PeerID(), nonce, x.host)
}

// copiedProof uses the proof by which the victim registered.
func copiedProof(w *world, s *server, victim, _ *identity.Identity, x *wire) (string, error) {
	if _, err := x.challenge(w.ctx); err != nil {
		return "", err
	}
	return registration(victim, victim.PeerID(), signaling.NewToken(signaling.ChallengeSize), x.host)
}

// otherServersProof is what a hostile server gets that passes the challenge of
// this one on to the victim.
func otherServersProof(w *world, _ *server, victim, _ *identity.Identity, x *wire) (string, error) {
	nonce, err := x.challenge(w.ctx)
	if err != nil {
		return "", err
	}
	return registration(victim, victim.PeerID(), nonce, "hostile.example.org")
}
