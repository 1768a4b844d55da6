package attacks

import (
	"context"
	"errors"
	"fmt"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// flippedBits sends an offer once for every byte of it, each time with one bit
// of that byte changed.
// What is changed is the signed message inside the seal: outside it AES-GCM
// would notice. Nobody may send that much that fast, so that check has fallen.
func flippedBits(w *world) act {
	w = w.fallen(check.Rate)
	v := w.newIdentity()
	s := w.site(siteOptions{allow: []identity.PeerID{v.PeerID()}})
	all := func() (float64, error) { return s.refusals() }
	return act{
		control: func() error { return honestSession(w, s, v) },
		attempt: func() error {
			if err := w.until(s.sessionsAre(0)); err != nil {
				return err
			}
			p := w.mustJoin(s.signal, v)
			key, err := p.keyOf(w.ctx, s.id)
			if err != nil {
				return err
			}
			o, err := anOffer(w, p, s)
			if err != nil {
				return err
			}
			before, err := all()
			if err != nil {
				return err
			}
			text, err := signaling.EncodeMessage(o)
			if err != nil {
				return err
			}
			compact, err := identity.Sign(v, text)
			if err != nil {
				return err
			}
			sent := 0
			for i := 0; i < len(compact); i += stride {
				if err := sendFlipped(w, p, key, s, compact, i); err != nil {
					return fmt.Errorf("byte %d: %w", i, err)
				}
				// No faster than it is refused, or messages are dropped unread.
				if sent++; sent%16 != 0 && i+stride < len(compact) {
					continue
				}
				if err := w.until(func() (bool, error) {
					opened, err := s.answered()
					if err != nil || opened {
						return true, err
					}
					now, err := all()
					return now-before >= float64(sent), err
				}); err != nil {
					return fmt.Errorf("up to byte %d: %w", i, err)
				}
				if opened, err := s.answered(); err != nil || opened {
					return err
				}
			}
			return &refusal{}
		},
		refused: s.refused(check.Signature),
	}
}

// sendFlipped sends the message with a bit of one byte changed.
func sendFlipped(w *world, p *party, key identity.AgreementKey, s *site, compact string, at int) error {
	b := []byte(compact)
	b[at] ^= 1 << (at % 7)
	sealed, err := identity.Seal(key, b)
	if err != nil {
		return err
	}
	return p.send(w.ctx, s.id, sealed)
}

// answered reports whether the agent has answered an offer of the attack.
func (s *site) answered() (bool, error) {
	n, err := metric(s.w.ctx, s.base, `sightline_sessions{via="signaling"}`)
	return n > 0, err
}

// refusals returns how much of what came through signaling the agent has
// refused, by any check.
func (s *site) refusals() (sum float64, err error) {
	for _, n := range []check.Name{
		check.Sealed, check.Signed, check.Form, check.Algorithm, check.Signature, check.Sender, check.Receiver,
		check.Freshness, check.Replay, check.Allowed,
	} {
		value, e := s.refused(n)()
		sum, err = sum+value, errors.Join(err, e)
	}
	return sum, err
}

// errStop ends a dial that was only to make an offer.
var errStop = errors.New("that is all")

// anOffer makes an offer without sending it.
func anOffer(w *world, p *party, s *site) (o *signaling.Offer, err error) {
	_, err = peer.Dial(w.ctx, peer.DialOptions{
		Certificate: p.id.Certificate(), Loopback: true,
		Signal: func(_ context.Context, sdp string) (string, error) {
			o = p.offer(dialing{publisher: s.id}, sdp)
			return "", errStop
		},
	})
	if !errors.Is(err, errStop) {
		return nil, err
	}
	return o, nil
}
