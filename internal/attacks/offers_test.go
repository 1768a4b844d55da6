package attacks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// offerAttacks send forged offers to an agent whose list has one viewer.
func offerAttacks() []attack {
	return []attack{
		{"offer-one-fingerprint-swapped", check.Signature, "", forgedOffer(check.Signature, swapFingerprint)},
		{"offer-signature-stripped", check.Signed, "", forgedOffer(check.Signed, stripSignature)},
		{"offer-not-sealed", check.Sealed, "", forgedOffer(check.Sealed, leaveOpen)},
		{"offer-alg-none", check.Algorithm, "", forgedOffer(check.Algorithm, algNone)},
		{"offer-key-confusion-hs256", check.Algorithm, "", forgedOffer(check.Algorithm, keyConfusion)},
		{"offer-for-another-publisher", check.Receiver, "", forgedOffer(check.Receiver, forAnother)},
		{"offer-an-hour-old", check.Freshness, "expired", forgedOffer(check.Freshness, hourOld)},
		{"offer-by-a-stranger", check.Allowed, "forbidden", forgedOffer(check.Allowed, stranger)},
		{"offer-replayed", check.Replay, "", replayedOffer},
		{"offer-a-bit-flipped-at-every-byte", check.Signature, "", flippedBits},
		{"candidates-duplicated-and-reordered", check.Order, "", reorderedCandidates},
	}
}

// forger is an attacker who wants to pass for a viewer.
type forger struct {
	site           *site
	victim, forger *identity.Identity
}

// forgedOffer stages an attack on what an agent accepts as an offer: the agent
// lets the victim in, and the forger sends an offer that looks like the
// victim's. The forger has the signaling server on its side: it sends from the
// victim's place there.
func forgedOffer(n check.Name, forge func(f *forger) (id *identity.Identity, d dialing)) func(w *world) act {
	return func(w *world) act {
		f := &forger{victim: w.newIdentity(), forger: w.newIdentity()}
		f.site = w.site(siteOptions{allow: []identity.PeerID{f.victim.PeerID()}})
		return act{
			control: func() error { return honestSession(w, f.site, f.victim) },
			attempt: func() error {
				id, d := forge(f)
				place := f.victim
				if n == check.Allowed {
					place = f.forger
				}
				p := w.mustJoin(f.site.signal, place)
				p.id = id
				d.publisher = f.site.id
				visit := func(ctx context.Context) error {
					s, err := p.dial(ctx, d)
					if err != nil {
						return refusedIfRejected(err)
					}
					return s.cameras(ctx)
				}
				if n == check.Allowed || n == check.Freshness {
					return visit(w.ctx) // these are told
				}
				return w.unlessRefused(f.site.refused(n), visit)
			},
			refused: f.site.refused(n),
		}
	}
}

// honestSession opens a session as it should be, up to the picture, and ends it.
func honestSession(w *world, s *site, id *identity.Identity) error {
	p, err := w.join(s.signal, id)
	if err != nil {
		return err
	}
	defer p.hangUp()
	c, err := p.dial(w.ctx, dialing{publisher: s.id})
	if err != nil {
		return err
	}
	defer c.close()
	return errors.Join(c.picture(w.ctx), c.cameras(w.ctx))
}

// asVictim gives an offer the victim's name, and leaves the rest the forger's:
// its DTLS certificate and the key that the answer is sealed to.
func (f *forger) asVictim(o *signaling.Offer) { o.From = f.victim.PeerID() }

// swapFingerprint takes an offer that the victim signed and puts the forger's
// certificate and key into it.
func swapFingerprint(f *forger) (*identity.Identity, dialing) {
	return f.forger, dialing{shape: f.asVictim, sign: func(text []byte) (string, error) {
		// The victim's own had its fingerprint and key; what counts is that the
		// signature is over another text.
		var o signaling.Offer
		if err := json.Unmarshal(text, &o); err != nil {
			return "", err
		}
		o.Key = f.victim.AgreementKey()
		signed, err := signaling.EncodeMessage(&o)
		if err != nil {
			return "", err
		}
		genuine, err := identity.Sign(f.victim, signed)
		if err != nil {
			return "", err
		}
		return withPayload(genuine, text), nil
	}}
}

func stripSignature(f *forger) (*identity.Identity, dialing) {
	return f.forger, dialing{shape: f.asVictim, sign: func(text []byte) (string, error) { return string(text), nil }}
}

// leaveOpen is the victim's own program talked out of sealing: the server could
// read the addresses.
func leaveOpen(f *forger) (*identity.Identity, dialing) {
	return f.victim, dialing{seal: func(_ identity.AgreementKey, compact string) (string, error) { return compact, nil }}
}

func algNone(f *forger) (*identity.Identity, dialing) {
	return f.forger, dialing{shape: f.asVictim, sign: func(text []byte) (string, error) { return withAlgNone(f.victim, messageType, text) }}
}

func keyConfusion(f *forger) (*identity.Identity, dialing) {
	return f.forger, dialing{shape: f.asVictim, sign: func(text []byte) (string, error) { return withHMAC(f.victim, messageType, text) }}
}

// forAnother is an offer that the victim made to another publisher, which
// passes it on.
func forAnother(f *forger) (*identity.Identity, dialing) {
	other := f.site.w.newIdentity().PeerID()
	return f.victim, dialing{shape: func(o *signaling.Offer) { o.To = other }}
}

func hourOld(f *forger) (*identity.Identity, dialing) {
	return f.victim, dialing{shape: func(o *signaling.Offer) { o.Exp = time.Now().Add(-time.Hour).Unix() }}
}

func stranger(f *forger) (*identity.Identity, dialing) { return f.forger, dialing{} }

// replayedOffer sends a viewer's offer again when its session is over.
func replayedOffer(w *world) act {
	v := w.newIdentity()
	s := w.site(siteOptions{allow: []identity.PeerID{v.PeerID()}})
	return act{
		control: func() error { return honestSession(w, s, v) },
		attempt: func() error {
			p := w.mustJoin(s.signal, v)
			var payload string
			var first signaling.Token
			c, err := p.dial(w.ctx, dialing{
				publisher: s.id, noPicture: true,
				sent:  func(_, sealed string) { payload = sealed },
				shape: func(o *signaling.Offer) { first = o.Session },
			})
			if err != nil {
				return err
			}
			c.close()
			if err := w.until(s.sessionsAre(0)); err != nil {
				return fmt.Errorf("the first session does not end: %w", err)
			}
			return w.unlessRefused(s.refused(check.Replay), func(ctx context.Context) error {
				if err := p.send(ctx, s.id, payload); err != nil {
					return err
				}
				_, _, err := p.answerTo(ctx, &signaling.Offer{Header: signaling.Header{Session: first}})
				return refusedIfRejected(err)
			})
		},
		refused: s.refused(check.Replay),
	}
}

// sessionsAre reports whether so many viewers are connected.
func (s *site) sessionsAre(n float64) func() (bool, error) {
	return func() (bool, error) {
		now, err := metric(s.w.ctx, s.base, `sightline_sessions{via="signaling"}`)
		return now == n, err
	}
}

// reorderedCandidates repeats a viewer's late messages, and sends an older one
// after a newer one.
func reorderedCandidates(w *world) act {
	v := w.newIdentity()
	s := w.site(siteOptions{allow: []identity.PeerID{v.PeerID()}})
	accepted := w.counter(s.base, `sightline_signaling_messages_total{result="accepted"}`)
	deliver := func(numbers ...int64) error {
		p := w.mustJoin(s.signal, v)
		defer p.hangUp()
		c, err := p.dial(w.ctx, dialing{publisher: s.id, noPicture: true})
		if err != nil {
			return err
		}
		defer c.close()
		key, err := p.keyOf(w.ctx, s.id)
		if err != nil {
			return err
		}
		before, err := accepted()
		if err != nil {
			return err
		}
		return w.unlessRefused(s.refused(check.Order), func(ctx context.Context) error {
			for _, seq := range numbers {
				payload, err := candidate(v, key, s.id, c, seq)
				if err == nil {
					err = p.send(ctx, s.id, payload)
				}
				if err != nil {
					return err
				}
			}
			return poll(ctx, func() (bool, error) {
				now, err := accepted()
				return now == before+float64(len(numbers)), err
			})
		})
	}
	return act{
		control: func() error { return deliver(2, 3, 4) },
		attempt: func() error { return deliver(3, 3, 3, 2, 2, 2) },
		refused: s.refused(check.Order),
	}
}

// candidate makes a sealed late candidate of a viewer's.
func candidate(v *identity.Identity, key identity.AgreementKey, to identity.PeerID, c *session, seq int64) (string, error) {
	text, err := signaling.EncodeMessage(&signaling.Candidate{
		Header:     signaling.Header{From: v.PeerID(), To: to, Session: c.id, Seq: seq, Exp: time.Now().Add(time.Minute).Unix()},
		Transcript: c.transcript, Candidate: "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host", MID: "0",
	})
	if err != nil {
		return "", err
	}
	compact, err := identity.Sign(v, text)
	if err != nil {
		return "", err
	}
	return identity.Seal(key, []byte(compact))
}
