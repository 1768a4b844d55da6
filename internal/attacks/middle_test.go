package attacks

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/hostile"
)

// middleAttacks are those of a signaling server that wants to see.
func middleAttacks() []attack {
	return []attack{
		{"man-in-the-middle-of-both-fingerprints", check.Sender, "a key that is not the publisher's", manInTheMiddle},
		{"man-in-the-middle-of-a-viewer-that-believes", check.Sender, "", behindAViewerThatBelieves},
		{"offer-reflected-to-its-sender", check.Receiver, "", reflectedOffer},
		{"reading-all-signaling-traffic", check.Sealed, "nothing to be read", readTraffic},
	}
}

// hostileServer starts a signaling server that can be hostile.
func (w *world) hostileServer() *hostile.Server {
	w.Helper()
	s, err := hostile.Listen(hostile.Options{})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.Close() })
	return s
}

// relay makes the server a man in the middle of everything from now on.
func (w *world) relay(s *hostile.Server) *hostile.Relay {
	w.Helper()
	r, err := hostile.NewRelay(s)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = r.Close() })
	return r
}

// manInTheMiddle is the whole attack: a key of the attacker's own for the
// viewer, descriptions with the attacker's fingerprint for both ends, and
// pictures and requests carried between the two sessions.
func manInTheMiddle(w *world) act {
	server := w.hostileServer()
	viewer := w.phone()
	site := w.site(siteOptions{signal: server.URL(), allow: []identity.PeerID{viewer.id}})
	return act{
		control: func() error { return viewer.watch(check.Sender, "honest", server.URL(), site.id) },
		attempt: func() error { return watched(w, server, viewer, site) },
	}
}

// behindAViewerThatBelieves has a viewer that takes any key for the publisher's:
// then it is the agent that sees that the offer is not the viewer's.
func behindAViewerThatBelieves(w *world) act {
	server := w.hostileServer()
	viewer := w.fallen(check.Sender).phone()
	site := w.site(siteOptions{signal: server.URL(), allow: []identity.PeerID{viewer.id}})
	return act{
		control: func() error { return viewer.watch(check.Sender, "honest", server.URL(), site.id) },
		attempt: func() error {
			return w.unlessRefused(site.refused(check.Sender), func(ctx context.Context) error {
				return w.within(ctx, func() error { return watched(w, server, viewer, site) })
			})
		},
		refused: site.refused(check.Sender),
	}
}

// within ends the wait for work with ctx; the work itself ends with the try.
func (w *world) within(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watched lets a viewer watch through a man in the middle, and returns nil if
// that one has seen everything.
func watched(w *world, server *hostile.Server, viewer *phone, site *site) error {
	relay := w.relay(server)
	if err := viewer.watch(check.Sender, "attacked", server.URL(), site.id); err != nil {
		return err
	}
	if relay.Pictures() == 0 || !slices.Contains(relay.Requests(), "GET /v1/cameras") {
		return errors.New("the viewer watches, and the man in the middle sees nothing")
	}
	return relay.Err()
}

// reflectedOffer gives a peer its own offer back: a recorder, say, which is
// publisher and viewer with one key, and may watch itself.
func reflectedOffer(w *world) act {
	server := w.hostileServer()
	friend := w.newIdentity()
	site := w.recorder(server.URL(), friend.PeerID())
	return act{
		control: func() error { return honestSession(w, site, friend) },
		attempt: func() error {
			own := site.key()
			p := w.mustJoin(server.URL(), w.newIdentity())
			key, err := p.keyOf(w.ctx, site.id)
			if err != nil {
				return err
			}
			p.id = own
			o, err := anOffer(w, p, site)
			if err != nil {
				return err
			}
			o.To = friend.PeerID() // whom the recorder wanted to watch
			_, payload, err := hostile.Forge(own, key, o)
			if err != nil {
				return err
			}
			opened := w.counter(site.base, `sightline_sessions_opened_total{via="signaling"}`)
			before, err := opened()
			if err != nil {
				return err
			}
			return w.unlessRefused(site.refused(check.Receiver), func(ctx context.Context) error {
				if err := server.Deliver(hostile.Delivery{From: site.id, To: site.id, Payload: payload}); err != nil {
					return err
				}
				return poll(ctx, func() (bool, error) {
					now, err := opened()
					return now > before, err
				})
			})
		},
		refused: site.refused(check.Receiver),
	}
}

// readTraffic keeps all that goes through the signaling server while somebody
// watches, and looks for addresses and pictures in it. Where receivers take
// messages that are not sealed, the server tells viewers so and has them all.
func readTraffic(w *world) act {
	server := w.hostileServer()
	viewer := w.newIdentity()
	site := w.site(siteOptions{signal: server.URL(), allow: []identity.PeerID{viewer.PeerID()}})
	watch := func(d dialing) error {
		p, err := w.join(server.URL(), viewer)
		if err != nil {
			return err
		}
		defer p.hangUp()
		d.publisher = site.id
		c, err := p.dial(w.ctx, d)
		if err != nil {
			return err
		}
		defer c.close()
		return errors.Join(c.picture(w.ctx), c.cameras(w.ctx))
	}
	return act{
		control: func() error {
			if err := watch(dialing{}); err != nil {
				return err
			}
			// What is there to be found is found: the reader works.
			compact, err := identity.Sign(viewer, []byte(`{"sdp":"a=candidate:1 1 udp 1 192.0.2.1 9 typ host"}`))
			if err != nil {
				return err
			}
			if found := readable(compact, ""); len(found) == 0 || !strings.Contains(server.Wire(), string(viewer.PeerID())) {
				return errors.New("the reader of the traffic does not find what is there")
			}
			return nil
		},
		attempt: func() error {
			d := dialing{}
			if w.weakened(check.Sealed) {
				d.seal = func(_ identity.AgreementKey, compact string) (string, error) { return compact, nil }
			}
			if err := watch(d); err != nil {
				return err
			}
			for _, r := range server.Records() {
				if r.Frame == nil {
					continue // the HTTP request that opened the WebSocket, which has to have addresses
				}
				if found := readable(r.Raw, server.URL()); len(found) > 0 {
					w.Logf("a %T shows %q", r.Frame, found)
					return nil
				}
			}
			if n := len(server.Sent(site.id, viewer.PeerID())); n == 0 {
				return errors.New("nothing went through the server")
			}
			return &refusal{says: "nothing to be read"}
		},
	}
}

// readable returns what a text shows of addresses and media, also inside
// base64url. The server's own address is no news to it.
func readable(text, own string) []string {
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: fps})
	if err != nil {
		return []string{err.Error()}
	}
	sps, pps := e.ParameterSets()
	var found []string
	look := func(b string) {
		if own = strings.TrimPrefix(own, "http://"); own != "" {
			b = strings.ReplaceAll(b, own, "")
		}
		address := regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|typ (host|srflx|relay)|a=(candidate|fingerprint|ice-ufrag|ice-pwd)|c=IN IP`)
		found = append(found, address.FindAllString(b, 3)...)
		for _, set := range [][]byte{sps, pps} {
			if len(set) > 8 && strings.Contains(b, string(set)) {
				found = append(found, "a parameter set of the video")
			}
		}
	}
	look(text)
	for _, part := range regexp.MustCompile(`[A-Za-z0-9_-]{16,}`).FindAllString(text, -1) {
		if raw, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			look(string(raw))
		}
	}
	return found
}

// watch lets the phone dial, ask for the cameras and see a picture.
func (p *phone) watch(n check.Name, session, signal string, peer identity.PeerID) error {
	err := p.ask(n, "dial", session, map[string]any{
		"signal": "ws" + strings.TrimPrefix(signal, "http"), "peer": peer, "timeoutMs": dialTimeout.Milliseconds(),
	})
	for _, do := range []string{"picture", "cameras"} {
		if err == nil {
			err = p.ask(n, do, session, nil)
		}
	}
	return err
}

// recorder starts an agent that may watch itself.
func (w *world) recorder(signal string, friend identity.PeerID) *site {
	w.Helper()
	dir := filepath.Join(w.folder(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		w.Fatal(err)
	}
	own, err := identity.LoadOrCreate(filepath.Join(dir, "agent.pem"))
	if err != nil {
		w.Fatal(err)
	}
	return w.site(siteOptions{signal: signal, stateDir: dir, allow: []identity.PeerID{own.PeerID(), friend}})
}
