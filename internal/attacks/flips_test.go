package attacks

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
			text, err := signaling.EncodeMessage(o)
			if err != nil {
				return err
			}
			compact, err := identity.Sign(v, text)
			if err != nil {
				return err
			}
			before, err := s.outcomes()
			if err != nil {
				return err
			}
			var now outcomes
			sent := 0
			for i := 0; i < len(compact); i += stride {
				if err := sendFlipped(w, p, key, s, compact, i); err != nil {
					return fmt.Errorf("byte %d: %w", i, err)
				}
				// No faster than it is decided on, or messages are dropped unread.
				if sent++; sent%16 != 0 && i+stride < len(compact) {
					continue
				}
				if err := w.until(func() (_ bool, err error) {
					now, err = s.outcomes()
					return now.passed > before.passed || now.all-before.all >= float64(sent), err
				}); err != nil {
					return fmt.Errorf("up to byte %d: %w", i, err)
				}
				if now.passed > before.passed {
					return nil
				}
			}
			if now.dropped > before.dropped {
				return fmt.Errorf("%v of %d messages were dropped unread", now.dropped-before.dropped, sent)
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

// outcomes are how many messages through signaling came to which end.
type outcomes struct {
	all     float64
	dropped float64 // of all: nobody has looked at them
	// passed are the offers that every check let through. Those whose session
	// description cannot be read any more are among them.
	passed float64
}

// outcomes counts what became of the messages that the agent has received.
func (s *site) outcomes() (o outcomes, err error) {
	all, err := metrics(s.w.ctx, s.base)
	for _, family := range []string{"sightline_offers_total", "sightline_signaling_messages_total"} {
		for name, value := range all {
			if strings.HasPrefix(name, family+"{") {
				o.all += value
			}
		}
		o.dropped += all[family+`{result="dropped"}`]
	}
	o.passed = all[`sightline_offers_total{result="answered"}`] + all[`sightline_offers_total{result="rejected"}`]
	return o, err
}

// errStop ends a dial that was only to make an offer.
var errStop = errors.New("that is all")

// anOffer makes an offer without sending it.
func anOffer(w *world, p *party, s *site) (o *signaling.Offer, err error) {
	_, err = peer.Dial(w.ctx, peer.DialOptions{
		Certificate: p.id.Certificate(), Loopback: true,
		Signal: peer.AnswerOnly(func(_ context.Context, sdp string) (string, error) {
			o = p.offer(dialing{publisher: s.id}, sdp)
			return "", errStop
		}),
	})
	if !errors.Is(err, errStop) {
		return nil, err
	}
	return o, nil
}
