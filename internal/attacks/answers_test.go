package attacks

import (
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// answerAttacks give a viewer an answer that is not to be believed.
func answerAttacks() []attack {
	return []attack{
		{"answer-one-fingerprint-swapped", check.Signature, "the signature is wrong", forgedAnswer(check.Signature, swapAnswer)},
		{"answer-signed-by-somebody-else", check.Sender, "not signed by its sender", forgedAnswer(check.Sender, signedByOther)},
		{"answer-signature-stripped", check.Signed, "not a valid signed message", forgedAnswer(check.Signed, stripAnswer)},
		{"answer-not-sealed", check.Sealed, "not a message sealed for this peer", forgedAnswer(check.Sealed, openAnswer)},
		{"answer-of-another-publisher", check.Receiver, "not for this peer", forgedAnswer(check.Receiver, otherPublisher)},
		{"answer-to-another-offer", check.Binding, "does not belong to this session", forgedAnswer(check.Binding, otherOffer)},
		{"answer-replayed-into-another-session", check.Binding, "does not belong to this session", replayedAnswer},
	}
}

// impostor is somebody who wants to be taken for a publisher.
type impostor struct{ victim, forger *identity.Identity }

// forgedAnswer stages an attack on a viewer: it dials the victim, and gets an
// answer that leads to the impostor.
func forgedAnswer(n check.Name, forge func(i *impostor) answering) func(w *world) act {
	return func(w *world) act {
		s := w.server()
		i := &impostor{victim: w.newIdentity(), forger: w.newIdentity()}
		viewer := w.phone()
		meet := func(session string, dtls *identity.Identity, a answering) error {
			p := w.poser(s.base, i.victim, dtls)
			defer p.hangUp()
			failed := make(chan error, 1)
			go func() {
				_, _, err := p.answer(w.ctx, a)
				failed <- err
			}()
			err := viewer.dial(n, session, s.base, i.victim.PeerID())
			if e := <-failed; e != nil && err != nil {
				return e
			}
			return err
		}
		return act{
			control: func() error { return meet("honest", i.victim, answering{}) },
			attempt: func() error { return meet("attacked", i.forger, forge(i)) },
		}
	}
}

// swapAnswer puts the impostor's session description, with its fingerprint, into
// an answer that the publisher signed.
func swapAnswer(i *impostor) answering {
	return answering{sign: func(text []byte) (string, error) {
		genuine, err := identity.Sign(i.victim, []byte(`{"what":"the publisher said"}`))
		if err != nil {
			return "", err
		}
		return withPayload(genuine, text), nil
	}}
}

func signedByOther(i *impostor) answering {
	return answering{sign: func(text []byte) (string, error) { return identity.Sign(i.forger, text) }}
}

func stripAnswer(*impostor) answering {
	return answering{sign: func(text []byte) (string, error) { return string(text), nil }}
}

func openAnswer(i *impostor) answering {
	return answering{seal: func(_ identity.AgreementKey, compact string) (string, error) { return compact, nil }}
}

// otherPublisher answers in its own name.
func otherPublisher(i *impostor) answering {
	return answering{
		shape: func(a *signaling.Answer) { a.From = i.forger.PeerID() },
		sign:  func(text []byte) (string, error) { return identity.Sign(i.forger, text) },
	}
}

// otherOffer is an answer that the publisher gave to another offer, in which the
// hostile server had put its own fingerprint.
func otherOffer(*impostor) answering {
	return answering{shape: func(a *signaling.Answer) {
		a.OfferHash, a.PeerNonce = signaling.HashOf("another offer"), signaling.NewToken(signaling.SessionSize)
	}}
}

// replayedAnswer gives the answer of a viewer's first session to its second.
func replayedAnswer(w *world) act {
	s, publisher := w.server(), w.newIdentity()
	viewer := w.phone()
	p := w.poser(s.base, publisher, publisher)
	var first string
	honest := func(session string) error {
		failed := make(chan error, 1)
		go func() {
			var err error
			first, _, err = p.answer(w.ctx, answering{})
			failed <- err
		}()
		if err := viewer.dial(check.Binding, session, s.base, publisher.PeerID()); err != nil {
			return err
		}
		return <-failed
	}
	return act{
		control: func() error { return honest("control") },
		attempt: func() error {
			if err := honest("first"); err != nil {
				return err
			}
			failed := make(chan error, 1)
			go func() {
				if _, err := p.awaitOffer(w.ctx, publisher); err != nil {
					failed <- err
					return
				}
				failed <- p.send(w.ctx, viewer.id, first)
			}()
			err := viewer.dial(check.Binding, "second", s.base, publisher.PeerID())
			if e := <-failed; e != nil {
				return e
			}
			return believed(err)
		},
	}
}

// believed turns the end of a session that could not connect into a success of
// the attack: the viewer took the answer, and what it leads to is long gone.
func believed(err error) error {
	if err != nil && strings.Contains(err.Error(), "dial: connect:") {
		return nil
	}
	return err
}
