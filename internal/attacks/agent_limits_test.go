package attacks

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// guestAttacks come from somebody who was let in, and wants more of the agent
// than there is for one.
func guestAttacks() []attack {
	return []attack{
		{"requests-without-end-by-a-guest", check.Rate, "429", hungryGuest},
		{"claims-without-end-by-strangers", check.Sessions, "busy", claimsOfStrangers},
		{"oversized-json-at-the-agent", check.Form, "413", oddRequest(`{"sdp":"` + strings.Repeat("a", 1<<20) + `","media":[]}`)},
		{"nested-json-at-the-agent", check.Form, "400", oddRequest(`{"sdp":"v=0","media":` + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + `}`)},
	}
}

// hungryGuest asks and asks.
func hungryGuest(w *world) act {
	v := w.newIdentity()
	s := w.site(siteOptions{allow: []identity.PeerID{v.PeerID()}})
	// They do not wait for answers: on a busy machine that would take longer than what is
	// allowed takes to come back.
	const requests, channels = 800, 4
	ask := func(n int) error {
		return s.as(v, nil, func(c *session) error {
			failed := make(chan error, channels)
			for range channels {
				go func() { failed <- c.pipeline(w.ctx, "/v1/time", n/channels) }()
			}
			var err error
			for range channels {
				err = cmp.Or(<-failed, err)
			}
			return err
		})
	}
	return act{
		control: func() error { return ask(20) },
		attempt: func() error {
			// A busy machine may for a while not be able to ask for more than is allowed.
			for deadline := time.Now().Add(patience); ; {
				err := refusedIfDenied(ask(requests))
				if err != nil || w.weakened(check.Rate) || time.Now().After(deadline) {
					return err
				}
			}
		},
		refused: s.refused(check.Rate),
	}
}

// oddRequest renegotiates with a body that is no request of ours, and sees
// whether it is looked at.
func oddRequest(body string) func(w *world) act {
	return func(w *world) act {
		v := w.newIdentity()
		s := w.site(siteOptions{allow: []identity.PeerID{v.PeerID()}})
		return act{
			control: func() error { return honestSession(w, s, v) },
			attempt: func() error {
				return s.as(v, nil, func(c *session) error {
					a, err := c.post(w.ctx, "/v1/session/offer", body)
					if err != nil {
						return err
					}
					if a.Status == http.StatusRequestEntityTooLarge || strings.Contains(a.Message, "not the JSON") {
						return refusedBy(a)
					}
					return nil // it was taken for an offer
				})
			},
			refused: s.refused(check.Form),
		}
	}
}

// claimsOfStrangers takes all the places that there are for those who say to have
// a secret, while the agent waits for its owner.
func claimsOfStrangers(w *world) act {
	friend := w.newIdentity()
	s := w.site(siteOptions{allow: []identity.PeerID{friend.PeerID()}})
	const strangers = 12
	return act{
		control: func() error {
			_, err := s.pair(w.newIdentity())
			return err
		},
		attempt: func() error {
			if _, err := s.pairingSecret(true); err != nil {
				return err
			}
			for range strangers {
				p := w.mustJoin(s.signal, w.newIdentity())
				c, err := p.dial(w.ctx, dialing{publisher: s.id, claim: signaling.ClaimPair, noPicture: true})
				if err != nil {
					if e := honestSession(w, s, friend); e != nil {
						return fmt.Errorf("strangers keep out who may watch: %w", e)
					}
					return refusedIfDenied(err)
				}
				defer c.close()
			}
			return nil
		},
		refused: s.refused(check.Sessions),
	}
}
