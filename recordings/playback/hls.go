package playback

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// hlsPath is where playlists are, on the own listener only.
const (
	hlsPath     = "/hls/"
	hlsPlaylist = "index.m3u8"
)

// postHLS answers POST /v1/recordings/{camera}/hls: a path for players that know
// HLS (RFC 8216bis) and nothing else. Whoever has it can play that one time.
func (a *API) postHLS(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	var in struct {
		FromMs    int64  `json:"fromMs"`
		ToMs      int64  `json:"toMs"`
		Rendition string `json:"rendition"`
	}
	if err := parseQuery(r).err; err != nil {
		return err
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if in.Rendition != "" && in.Rendition != recordings.Main && in.Rendition != recordings.Sub {
		return badRequest("The rendition is " + quoted(in.Rendition) + "; it must be main or sub.")
	}
	if in.Rendition == "" {
		in.Rendition = recordings.Main
	}
	now := time.Now()
	event := in.ToMs == 0
	if event {
		in.ToMs = now.Add(maxHLS).UnixMilli()
		in.FromMs = max(in.FromMs, 0)
		if in.FromMs < now.Add(-maxHLS).UnixMilli() || in.FromMs > now.Add(time.Minute).UnixMilli() {
			return badRequest("A growing playlist begins at most 12 hours ago.")
		}
	}
	span, bad := spanOf(in.FromMs, in.ToMs, 2*maxHLS, "Play at most 24 hours at once.")
	if bad != nil {
		return bad
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	stream := newHLSStream(recordings.Stream{Camera: camera, Rendition: in.Rendition}, span, event)
	if err := stream.refresh(r.Context(), a, now); err != nil { // nobody else has it yet
		return a.failed(r.Context(), "make a playlist", err)
	}
	if !event && stream.full {
		return badRequest("That is too much for one playlist. Play a shorter time.")
	}
	if !event && len(stream.entries) == 0 {
		return notFound("Nothing was recorded in that time. The timeline says what was.")
	}
	text, expires, err := a.hls.add(now, p, stream)
	if err != nil {
		return busy("As many players have such a path as may. Try again in some minutes.").because(err)
	}
	a.journal(r, ChangeHLSToken, p, camera+" "+textOf(span))
	writeJSON(w, http.StatusCreated, struct {
		Path    string `json:"path"`
		Expires string `json:"expires"`
	}{hlsPath + text + "/" + hlsPlaylist, expires.UTC().Format(time.RFC3339)})
	return nil
}

// getHLS answers GET /hls/{token}/{file}.
func (a *API) getHLS(w http.ResponseWriter, r *http.Request, _ *trust.Principal) {
	if err := a.serveHLS(w, r); err != nil {
		err.write(w)
	}
}

func (a *API) serveHLS(w http.ResponseWriter, r *http.Request) *apiError {
	const gone = "This path has expired, or is none. Ask the page for a new one."
	token, ok := a.hls.find(time.Now(), r.PathValue("token"))
	if !ok {
		return notFound(gone)
	}
	s := token.stream
	if err := a.mayStillWatch(token.holder, s.stream.Camera); err != nil {
		a.hls.remove(token)
		return notFound(gone).because(err)
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the path is the secret
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.PathValue("file") == hlsPlaylist {
		return a.servePlaylist(w, r, token)
	}
	if err := s.own(r.Context()); err != nil {
		return busy("The request was given up.").because(err)
	}
	f, init, ok := s.find(r.PathValue("file"))
	s.disown()
	switch {
	case !ok:
		return notFound("There is no such file in the playlist.")
	case init:
		return a.serveHLSInit(w, r, f, token)
	}
	return a.serveHLSMedia(w, r, f, token)
}

func (a *API) servePlaylist(w http.ResponseWriter, r *http.Request, token *hlsToken) *apiError {
	s := token.stream
	if err := s.own(r.Context()); err != nil {
		return busy("The request was given up.").because(err)
	}
	err := s.refresh(r.Context(), a, time.Now())
	text := s.playlist()
	s.disown()
	if err != nil {
		return a.failed(r.Context(), "go on with a playlist", err)
	}
	w.Header().Set("Content-Type", typePlaylist)
	w.Header().Set("Cache-Control", "no-store")
	d, r, done := a.download(w, r, token.holder, s.stream.Camera)
	defer done()
	a.serve(d, r, bytes.NewReader(text))
	return nil
}

// serveHLSInit sends what EXT-X-MAP names.
func (a *API) serveHLSInit(w http.ResponseWriter, r *http.Request, f hlsFile, token *hlsToken) *apiError {
	init, err := a.readInit(r.Context(), f.ref, f.initBytes, f.sound == f.tracked)
	if err != nil {
		return a.failed(r.Context(), "read the beginning of a segment", err)
	}
	w.Header().Set("Content-Type", typeMP4)
	w.Header().Set("Cache-Control", finished)
	d, r, done := a.download(w, r, token.holder, token.stream.stream.Camera)
	defer done()
	a.serve(d, r, bytes.NewReader(init))
	return nil
}

// serveHLSMedia sends what EXT-X-BYTERANGE is about: of the segment's file only what
// the playlist has, as if there were nothing else.
func (a *API) serveHLSMedia(w http.ResponseWriter, r *http.Request, f hlsFile, token *hlsToken) *apiError {
	media, err := a.opts.Library.Open(r.Context(), f.ref)
	if err != nil {
		return a.failed(r.Context(), "open a segment", err)
	}
	defer func() { _ = media.Close() }() // it was only read
	if f.end > media.Size() {
		return a.failed(r.Context(), "open a segment", errors.New("the file of "+segmentID(f.ref)+" is shorter than it was"))
	}
	w.Header().Set("Content-Type", typeMP4)
	w.Header().Set("Cache-Control", finished)
	d, r, done := a.download(w, r, token.holder, token.stream.stream.Camera)
	defer done()
	later := newShifted(media, f.first, f.end, f.shift, f.clock)
	a.serve(d, r, io.NewSectionReader(later, f.first, f.end-f.first))
	return nil
}
