package attacks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

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
	timer := time.NewTimer(patience)
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
	if _, err := res.Body.Read(make([]byte, 1)); err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, nil
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

// player plays what was recorded by an HLS path.
type player struct {
	playlist string // its address
	res      *http.Response
}

// plays makes a path and begins to play it, over connections of its own.
func (s *session) plays(ctx context.Context, at *site, f *film) (*player, error) {
	playlist, err := s.hls(ctx, at, f)
	if err != nil {
		return nil, err
	}
	media, err := mediaOf(ctx, playlist)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	res, err := begin(ctx, client, media) //nolint:bodyclose // the player's close does
	if err != nil {
		return nil, err
	}
	return &player{playlist, res}, nil
}

// goesOn plays on for d, and begins anew.
func (p *player) goesOn(ctx context.Context, d time.Duration) error {
	running := goesOn(p.res, d)
	_, err := mediaOf(ctx, p.playlist)
	return together(running, refusedIfDenied(err))
}

func (p *player) close() { _ = p.res.Body.Close() }

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
