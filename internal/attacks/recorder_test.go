package attacks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// recorderAttacks want what was recorded: of a recorder, or, as a recorder, of
// what an agent keeps for one.
func recorderAttacks() []attack {
	return []attack{
		{"recordings-by-a-guest-who-was-revoked", check.Revoked, "forbidden", recordingsAfterRevocation},
		{"hls-path-that-outlives-its-right", check.Right, "404", hlsPathOfALostRight},
		{"recordings-with-the-right-to-live-only", check.Right, "403", recordingsWithLiveOnly},
		{"recorder-that-was-revoked", check.Revoked, "forbidden", revokedRecorder},
	}
}

// cutWithin is how soon an answer ends whose right has ended, on an idle machine.
const cutWithin = 2 * time.Second

// together joins how the parts of an attack ended: it succeeded if every part did,
// and was refused if every part was. Anything between is no result.
func together(parts ...error) error {
	var says []string
	var open int
	for _, err := range parts {
		var r *refusal
		switch {
		case err == nil:
			open++
			says = append(says, "not refused")
		case errors.As(err, &r):
			says = append(says, r.says)
		default:
			return err
		}
	}
	switch open {
	case len(parts):
		return nil
	case 0:
		return &refusal{says: strings.Join(says, "; ")}
	}
	return fmt.Errorf("some of it was refused, and some was not: %s", strings.Join(says, "; "))
}

// rights is a scope of some rights on all cameras.
func rights(all ...access.Right) access.Scope {
	return access.Scope{Rights: all, Cameras: []string{access.AnyCamera}}
}

// recordingsAfterRevocation downloads and plays on when the guest was put out, and
// comes back for more.
func recordingsAfterRevocation(w *world) act {
	h := w.homeOf(1, siteOptions{recorder: true, bulky: true})
	s := h.sites[0]
	newGuest := func() (guest *identity.Identity, g string, err error) {
		guest = w.newIdentity()
		g, err = grant(h.owner, guest, string(s.id), rights(access.Live, access.Playback))
		return guest, g, err
	}
	return act{
		control: func() error {
			guest, g, err := newGuest()
			if err != nil {
				return err
			}
			return s.as(guest, []string{g}, func(c *session) error { return c.listed(w.ctx) })
		},
		attempt: func() error {
			guest, g, err := newGuest()
			if err != nil {
				return err
			}
			var parts []error
			err = s.as(guest, []string{g}, func(c *session) error {
				f, err := c.recorded(w, bulk)
				if err != nil {
					return err
				}
				loaded, err := begin(w.ctx, c.http, "http://publisher"+f.path("/segments/"+f.segment))
				if err != nil {
					return err
				}
				defer loaded.Body.Close()
				played, err := c.plays(w.ctx, s, f)
				if err != nil {
					return err
				}
				defer played.close()
				if err := h.putOut(s, access.RevokedPeer, string(guest.PeerID())); err != nil {
					return err
				}
				var wg sync.WaitGroup
				parts = make([]error, 2)
				wg.Go(func() { parts[0] = goesOn(loaded, h.soon(cutWithin)) })
				wg.Go(func() { parts[1] = played.goesOn(w.ctx, h.soon(cutWithin)) })
				wg.Wait()
				parts = append(parts, c.cutOrDenied(c.listed(w.ctx)))
				return nil
			})
			if err != nil {
				return err
			}
			again := s.as(guest, []string{g}, func(c *session) error { return c.listed(w.ctx) })
			return together(append(parts, refusedIfDenied(again))...)
		},
		refused: s.refused(check.Revoked),
	}
}

// hlsPathOfALostRight plays on by a path that needs no key, and no session that
// could be ended. Of its guest's two grants the one for playback is taken back.
func hlsPathOfALostRight(w *world) act {
	h := w.homeOf(1, siteOptions{recorder: true, bulky: true})
	s := h.sites[0]
	play := func(do func(p *player, playback string) error) error {
		guest := w.newIdentity()
		live, err := grant(h.owner, guest, string(s.id), rights(access.Live))
		if err != nil {
			return err
		}
		playback, err := grant(h.owner, guest, string(s.id), rights(access.Playback))
		if err != nil {
			return err
		}
		var p *player
		err = s.as(guest, []string{live, playback}, func(c *session) error {
			f, err := c.recorded(w, bulk)
			if err == nil {
				p, err = c.plays(w.ctx, s, f)
			}
			return err
		})
		if err != nil {
			return err
		}
		defer p.close()
		return do(p, playback)
	}
	return act{
		control: func() error { return play(func(*player, string) error { return nil }) },
		attempt: func() error {
			return play(func(p *player, playback string) error {
				g, err := access.ParseGrant(playback)
				if err != nil {
					return err
				}
				if err := h.putOut(s, access.RevokedGrant, g.ID); err != nil {
					return err
				}
				return p.goesOn(w.ctx, h.soon(cutWithin))
			})
		},
		refused: s.refused(check.Right),
	}
}

// putOut revokes a peer or a grant and gives the list to an agent.
func (h *home) putOut(s *site, kind, id string) error {
	list, err := h.revoke(kind, id)
	if err != nil {
		return err
	}
	return h.put(s, list)
}

// recordingsWithLiveOnly asks for everything that the right to playback is for.
func recordingsWithLiveOnly(w *world) act {
	h := w.homeOf(1, siteOptions{recorder: true})
	s := h.sites[0]
	ask := func(all ...access.Right) error {
		var f *film
		err := h.asOwner(s, func(c *session) (err error) {
			f, err = c.recorded(w, 1)
			return err
		})
		if err != nil {
			return err
		}
		guest := w.newIdentity()
		g, err := grant(h.owner, guest, string(s.id), rights(all...))
		if err != nil {
			return err
		}
		return s.as(guest, []string{g}, func(c *session) error {
			shown, err := c.overview(w.ctx)
			if err != nil {
				return err
			}
			if shown != slices.Contains(all, access.Playback) {
				return fmt.Errorf("with the rights %v the overview names the camera: %v", all, shown)
			}
			return together(c.everyWay(w.ctx, f)...)
		})
	}
	return act{
		control: func() error { return ask(access.Playback) },
		attempt: func() error { return ask(access.Live) },
		refused: s.refused(check.Right),
	}
}

// revokedRecorder watches on, and fetches on of what the agent keeps for recorders,
// when it was put out, and comes back for more.
func revokedRecorder(w *world) act {
	h := w.home(1)
	s := h.sites[0]
	recorder := w.newIdentity()
	// record does what a recorder does, and then more.
	record := func(g string, more func(c *session, kept *http.Response) error) error {
		p, err := w.join(s.signal, recorder)
		if err != nil {
			return err
		}
		defer p.hangUp()
		c, err := p.dial(w.ctx, dialing{publisher: s.id, grants: []string{g}, camera: "cam"})
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.picture(w.ctx); err != nil {
			return err
		}
		kept, err := c.kept(w)
		if err != nil {
			return err
		}
		defer kept.Body.Close()
		return more(c, kept)
	}
	newGrant := func() (string, error) {
		return grant(h.owner, recorder, string(s.id), rights(access.Live, access.Playback))
	}
	nothing := func(*session, *http.Response) error { return nil }
	return act{
		control: func() error {
			g, err := newGrant()
			if err != nil {
				return err
			}
			return record(g, nothing)
		},
		attempt: func() error {
			g, err := newGrant()
			if err != nil {
				return err
			}
			var live, fetched error
			err = record(g, func(c *session, kept *http.Response) error {
				if err := h.putOut(s, access.RevokedPeer, string(recorder.PeerID())); err != nil {
					return err
				}
				var wg sync.WaitGroup
				wg.Go(func() { live = c.watchesOn(w.ctx, h.soon(cutWithin)) })
				wg.Go(func() { fetched = goesOn(kept, h.soon(cutWithin)) })
				wg.Wait()
				return nil
			})
			if err != nil {
				return err
			}
			return together(live, fetched, refusedIfDenied(record(g, nothing)))
		},
		refused: s.refused(check.Revoked),
	}
}

// kept begins to fetch the first fragment that the agent's spool has, so slowly
// that it lasts.
func (s *session) kept(w *world) (*http.Response, error) {
	const path = "/v1/cameras/cam/fragments"
	a, err := s.call(w.ctx, http.MethodGet, path+"?wait=20", nil)
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusOK {
		return nil, a
	}
	var list struct {
		Fragments []struct{ Seq, Bytes int64 }
	}
	if err := a.decode(&list); err != nil {
		return nil, err
	}
	if len(list.Fragments) == 0 {
		return nil, errors.New("the agent keeps nothing")
	}
	return begin(w.ctx, s.http, fmt.Sprintf("http://publisher%s/%d?rate=%d", path, list.Fragments[0].Seq, fetchRate))
}

// fetchRate is how fast a fragment is fetched, in bit/s: so slowly that even a small
// one is not there before a busy machine has taken the right away.
const fetchRate = 4_000

// watchesOn returns nil if pictures still come after d, and a *refusal if they ended
// before.
func (s *session) watchesOn(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d+patience)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-s.conn.Done():
		case <-ctx.Done():
		}
	}()
	for end := time.Now().Add(d); ; {
		_, _, err := s.frames.Read(ctx)
		if err != nil {
			return s.cutOrDenied(err)
		}
		if time.Now().After(end) {
			return nil
		}
	}
}
