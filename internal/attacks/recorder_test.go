package attacks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
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
		{"hls-path-that-outlives-its-guest", check.Revoked, "404", hlsPathAfter(check.Revoked, guestRevoked)},
		{"hls-path-that-outlives-its-right", check.Right, "404", hlsPathAfter(check.Right, playbackRevoked)},
		{"recordings-with-the-right-to-live-only", check.Right, "403", recordingsWithLiveOnly},
		{"recorder-that-was-revoked", check.Revoked, "forbidden", revokedRecorder},
	}
}

// cutWithin is how soon an answer ends whose right has ended; home.soon makes room
// for a busy machine.
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

// film is what a recorder has of its camera.
type film struct {
	segment string // the id of the first
	from    int64  // in milliseconds since 1970, within the segment
	to      int64
}

// span is a time as parameters of a request.
func (f *film) span() string { return fmt.Sprintf("from=%d&to=%d", f.from, f.to) }

// path is one of the API about the camera.
func (f *film) path(rest string) string { return "/v1/recordings/cam" + rest }

// recorded waits until so many bytes are recorded.
func (s *session) recorded(w *world, atLeast int64) (*film, error) {
	var f film
	return &f, w.until(func() (bool, error) {
		now := time.Now()
		f.from, f.to = now.Add(-time.Hour).UnixMilli(), now.Add(time.Hour).UnixMilli()
		a, err := s.call(w.ctx, http.MethodGet, f.path("/segments?"+f.span()), nil)
		if err != nil {
			return false, err
		}
		var list struct {
			Segments []struct {
				ID             string
				StartUs, EndUs int64
				Bytes          int64
			}
		}
		if err := a.decode(&list); err != nil || len(list.Segments) == 0 {
			return false, err
		}
		first := list.Segments[0]
		f.segment, f.from, f.to = first.ID, first.StartUs/1000+1, first.EndUs/1000
		return first.Bytes >= atLeast, nil
	})
}

// listed asks what is recorded of the camera.
func (s *session) listed(ctx context.Context) error {
	for _, path := range []string{"/v1/recordings", "/v1/recordings/cam/timeline?from=1&to=2"} {
		a, err := s.call(ctx, http.MethodGet, path, nil)
		if err == nil && a.Status != http.StatusOK {
			err = a
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cutOrDenied turns what ended with the session, or was refused in it, into the end
// of an attack.
func (s *session) cutOrDenied(err error) error {
	var a *apiAnswer
	if err == nil || errors.As(err, &a) {
		return refusedIfDenied(err)
	}
	timer := time.NewTimer(cutWithin)
	defer timer.Stop()
	select {
	case <-s.conn.Done():
		return &refusal{says: "ended"}
	case <-timer.C:
		return err
	}
}

// begin begins a long answer and reads the first of it.
func begin(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		a, err := readAnswer(res)
		if err != nil {
			return nil, err
		}
		return nil, a
	}
	_, err = res.Body.Read(make([]byte, 1))
	return res, err
}

// goesOn reads an answer on for d, slowly enough that most of it has not left
// before it ought to end. It returns nil if it goes on after that, or is whole, and
// a *refusal if it is cut.
func goesOn(res *http.Response, d time.Duration) error {
	const portion, every = 64 << 10, 15 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	buffer := make([]byte, portion)
	for end, left := time.Now().Add(d), res.ContentLength-1; left > 0 && time.Now().Before(end); <-tick.C {
		n, err := res.Body.Read(buffer)
		left -= int64(n)
		if err != nil && left > 0 {
			return &refusal{says: "ended"}
		}
	}
	return nil
}

// recordingsAfterRevocation downloads on when the guest was put out, and comes back
// for more.
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
			var running, asked error
			err = s.as(guest, []string{g}, func(c *session) error {
				f, err := c.recorded(w, bulk)
				if err != nil {
					return err
				}
				res, err := begin(w.ctx, c.http, "http://publisher"+f.path("/segments/"+f.segment))
				if err != nil {
					return err
				}
				defer res.Body.Close()
				if err := h.putOut(s, access.RevokedPeer, string(guest.PeerID())); err != nil {
					return err
				}
				running = goesOn(res, h.soon(cutWithin))
				asked = c.cutOrDenied(c.listed(w.ctx))
				return nil
			})
			if err != nil {
				return err
			}
			again := refusedIfDenied(s.as(guest, []string{g}, func(c *session) error { return c.listed(w.ctx) }))
			return together(running, asked, again)
		},
		refused: s.refused(check.Revoked),
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

// guestRevoked puts a guest out altogether.
func guestRevoked(h *home, s *site, guest *identity.Identity, _ string) error {
	return h.putOut(s, access.RevokedPeer, string(guest.PeerID()))
}

// playbackRevoked takes back the grant with the right to playback, and no other.
func playbackRevoked(h *home, s *site, _ *identity.Identity, playback string) error {
	g, err := access.ParseGrant(playback)
	if err != nil {
		return err
	}
	return h.putOut(s, access.RevokedGrant, g.ID)
}

// hlsPathAfter plays on by a path that needs no key when what it was made with was
// taken back: the answer that runs, and the playlist.
func hlsPathAfter(n check.Name, takeBack func(h *home, s *site, guest *identity.Identity, playback string) error) func(w *world) act {
	return func(w *world) act {
		h := w.homeOf(1, siteOptions{recorder: true, bulky: true})
		s := h.sites[0]
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}, Timeout: attackTimeout}
		// path returns a guest's playlist and the address of its media.
		path := func(guest *identity.Identity, grants []string) (playlist, media string, err error) {
			err = s.as(guest, grants, func(c *session) error {
				f, err := c.recorded(w, bulk)
				if err != nil {
					return err
				}
				playlist, err = c.hls(w.ctx, s, f)
				return err
			})
			if err != nil {
				return "", "", err
			}
			media, err = mediaOf(w.ctx, playlist)
			return playlist, media, err
		}
		newGuest := func() (guest *identity.Identity, grants []string, err error) {
			guest = w.newIdentity()
			live, err := grant(h.owner, guest, string(s.id), rights(access.Live))
			if err != nil {
				return nil, nil, err
			}
			playback, err := grant(h.owner, guest, string(s.id), rights(access.Playback))
			return guest, []string{live, playback}, err
		}
		return act{
			control: func() error {
				guest, grants, err := newGuest()
				if err == nil {
					_, _, err = path(guest, grants)
				}
				return err
			},
			attempt: func() error {
				guest, grants, err := newGuest()
				if err != nil {
					return err
				}
				playlist, media, err := path(guest, grants)
				if err != nil {
					return err
				}
				res, err := begin(w.ctx, client, media)
				if err != nil {
					return err
				}
				defer res.Body.Close()
				if err := takeBack(h, s, guest, grants[1]); err != nil {
					return err
				}
				running := goesOn(res, h.soon(cutWithin))
				_, err = mediaOf(w.ctx, playlist)
				return together(running, refusedIfDenied(err))
			},
			refused: s.refused(n),
		}
	}
}

// hls makes a path for players and returns its address.
func (s *session) hls(ctx context.Context, at *site, f *film) (string, error) {
	a, err := s.call(ctx, http.MethodPost, f.path("/hls"), map[string]any{"fromMs": f.from, "toMs": f.to, "rendition": "main"})
	if err != nil {
		return "", err
	}
	if a.Status != http.StatusCreated {
		return "", a
	}
	var made struct{ Path string }
	return at.base + made.Path, a.decode(&made)
}

// mediaOf reads a playlist and returns the address of its first file.
func mediaOf(ctx context.Context, playlist string) (string, error) {
	status, text, err := get(ctx, playlist, nil)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", &apiAnswer{Status: status, Body: []byte(text), Code: "playlist"}
	}
	m := regexp.MustCompile(`(?m)^main\.[0-9]+\.mp4$`).FindString(text)
	if m == "" {
		return "", fmt.Errorf("there is no file in the playlist:\n%s", text)
	}
	return strings.Replace(playlist, "index.m3u8", m, 1), nil
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

// overview asks what there is, and reports whether the camera is named. Nobody is
// refused that: what one may not watch is left out.
func (s *session) overview(ctx context.Context) (shown bool, err error) {
	a, err := s.call(ctx, http.MethodGet, "/v1/recordings", nil)
	if err != nil {
		return false, err
	}
	if a.Status != http.StatusOK {
		return false, a
	}
	return bytes.Contains(a.Body, []byte(`"cam"`)), nil
}

// everyWay asks for recordings in every way that there is, and returns how each
// ended.
func (s *session) everyWay(ctx context.Context, f *film) []error {
	at, day := fmt.Sprintf("at=%d", f.from), time.UnixMilli(f.from).UTC().Format(time.DateOnly)
	ways := []struct{ method, path string }{
		{http.MethodGet, "/days?from=" + day + "&to=" + day},
		{http.MethodGet, "/timeline?" + f.span()},
		{http.MethodGet, "/segments?" + f.span()},
		{http.MethodGet, "/segments/" + f.segment},
		{http.MethodGet, "/segments/" + f.segment + "/init.mp4"},
		{http.MethodGet, "/fragment?" + at},
		{http.MethodGet, "/keyframes?" + f.span()},
		{http.MethodGet, "/keyframe?" + at},
		{http.MethodGet, "/export.mp4?" + f.span()},
		{http.MethodGet, "/events?" + f.span()},
		{http.MethodPost, "/hls"},
	}
	ended := make([]error, 0, len(ways))
	for _, way := range ways {
		var body any
		if way.method == http.MethodPost {
			body = map[string]any{"fromMs": f.from, "toMs": f.to, "rendition": "main"}
		}
		a, err := s.call(ctx, way.method, f.path(way.path), body)
		switch {
		case err != nil:
		case a.Status == http.StatusForbidden:
			err = refusedBy(a)
		case a.Status < 200 || a.Status > 299:
			err = fmt.Errorf("%s %s: %w", way.method, way.path, a)
		}
		ended = append(ended, err)
	}
	return ended
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

// fetchRate is how fast a fragment is fetched, in bit/s.
const fetchRate = 8_000

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
