package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
)

// ErrRequest is wrapped by errors about a request that makes no sense; the rest of
// the text says to a person what is wrong.
var ErrRequest = errors.New("bad request")

const (
	// maxWait is how long an answer is held back at most, until there is something.
	maxWait = 20 * time.Second
	// writeTime is how long a portion may take to go out.
	writeTime = 30 * time.Second
)

// ServeList answers GET /v1/cameras/{id}/fragments. allowed is asked again after a
// wait, and closing ends one. When it returns an error it has not answered: allowed's,
// ErrGone if there is no such rendition, or ErrRequest.
func (s *Spool) ServeList(w http.ResponseWriter, r *http.Request, closing <-chan struct{}, allowed func() error) error {
	q := r.URL.Query()
	after, err := number(q, "after")
	if err != nil {
		return err
	}
	wait, err := number(q, "wait")
	if err != nil {
		return err
	}
	timer := time.NewTimer(min(time.Duration(min(wait, 60))*time.Second, maxWait))
	defer timer.Stop()
	select {
	case <-s.ready:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	for waiting := true; ; {
		if err := allowed(); err != nil {
			return err
		}
		l, changed, ok := s.List(q.Get("rendition"), after, q.Get("heads") == "1")
		if !ok {
			return ErrGone
		}
		if len(l.Fragments) > 0 || !waiting {
			return answer(w, l)
		}
		select {
		case <-changed:
		case <-timer.C:
			waiting = false
		case <-closing:
			waiting = false
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}

// number reads an optional number of a query.
func number(q url.Values, name string) (uint64, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: %s is a whole number, 0 or more", ErrRequest, name)
	}
	return n, nil
}

func answer(w http.ResponseWriter, l fragment.List) error {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(l) // the recorder is gone; there is nobody to tell
	return nil
}

// Visit is who a fragment is for, and how it gets there. All fields may be left out.
type Visit struct {
	// Pace is that of the session, Path says how its path stands. Default: one of its
	// own, of which nothing is known.
	Pace *Pace
	Path func() Path
	// Allowed says whether the recorder may still have it. It is asked twice a second
	// while the fragment leaves. Default: it may.
	Allowed func() error
	// Hold takes bytes of memory for the answer; its error is ServeFragment's. Default:
	// there is enough.
	Hold func(bytes int) (release func(), err error)
}

func (v *Visit) setDefaults() {
	if v.Pace == nil {
		v.Pace = &Pace{}
	}
	if v.Path == nil {
		v.Path = func() Path { return Path{} }
	}
	if v.Allowed == nil {
		v.Allowed = func() error { return nil }
	}
	if v.Hold == nil {
		v.Hold = func(int) (func(), error) { return func() {}, nil }
	}
}

// ServeFragment answers GET /v1/cameras/{id}/fragments/{seq}, as fast as the pace of
// the session allows. When it returns an error it has not answered: ErrGone,
// ErrRequest, or one of the visit's.
func (s *Spool) ServeFragment(w http.ResponseWriter, r *http.Request, seq string, v Visit) error {
	v.setDefaults()
	n, err := strconv.ParseUint(seq, 10, 63)
	if err != nil {
		return fmt.Errorf("%w: a fragment has a number", ErrRequest)
	}
	q := r.URL.Query()
	limit, err := number(q, "rate")
	if err != nil {
		return err
	}
	select {
	case <-s.ready:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	if err := v.Allowed(); err != nil { // what is on disk may have taken long to know
		return err
	}
	src, err := s.open(q.Get("rendition"), n)
	if err != nil {
		return err
	}
	defer src.close()
	release, err := v.Hold(src.held)
	if err != nil {
		return err
	}
	defer release()
	from, to, partial, ok := span(r.Header.Get("Range"), src.size)
	tag := `"` + src.entry.Digest.String() + `"`
	if other := r.Header.Get("If-Range"); other != "" && other != tag {
		from, to, partial, ok = 0, src.size, false, true
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Accept-Ranges", "bytes")
	h.Set("ETag", tag)
	size := strconv.Itoa(src.size)
	switch {
	case !ok:
		h.Set("Content-Range", "bytes */"+size)
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return nil
	case partial:
		h.Set("Content-Range", "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(to-1)+"/"+size)
		h.Set("Content-Length", strconv.Itoa(to-from))
		w.WriteHeader(http.StatusPartialContent)
	default:
		h.Set("Content-Length", size)
	}
	rc := http.NewResponseController(w)
	ctx, permit := newPermit(r.Context(), rc, v.Allowed)
	defer permit.close()
	out := &pacedWriter{
		ctx: ctx, to: w, permit: permit, pace: v.Pace, path: v.Path,
		background: q.Get("background") == "1", limit: int(min(limit, mostRate)),
	}
	_ = out.send(io.NewSectionReader(src, int64(from), int64(to-from)), to-from) // the recorder is gone; it comes back for the rest
	return nil
}

// span reads a Range header (RFC 9110 §14.1.2) for a content of size bytes. What
// has several ranges, or is malformed, is ignored, as the standard allows; ok is
// false if there is nothing in the range.
func span(header string, size int) (from, to int, partial, ok bool) {
	text, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	whole := func() (int, int, bool, bool) { return 0, size, false, true }
	if !found || !dash {
		return whole()
	}
	to = size
	if last != "" {
		n, err := strconv.ParseUint(last, 10, 31)
		if err != nil {
			return whole()
		}
		if first == "" { // the last n bytes
			from = max(size-int(n), 0)
			return from, size, true, n > 0 && size > 0
		}
		to = min(size, int(n)+1)
	}
	n, err := strconv.ParseUint(first, 10, 31)
	if err != nil || last != "" && int(n) >= to && int(n) < size {
		return whole()
	}
	return int(n), to, true, int(n) < size
}

// pacedWriter is a response that leaves at a pace.
type pacedWriter struct {
	ctx        context.Context //nolint:containedctx // the request's
	to         io.Writer
	permit     *permit
	pace       *Pace
	path       func() Path
	background bool
	limit      int // bit/s, 0: none

	state  Path
	looked time.Time
}

// send sends so many bytes of a source.
func (w *pacedWriter) send(from io.Reader, left int) error {
	buffer := make([]byte, maxPortion)
	for left > 0 {
		now := time.Now()
		if now.Sub(w.looked) >= lookEvery {
			w.state, w.looked = w.path(), now
			w.pace.look(now, w.state)
		}
		n, wait := w.pace.take(now, w.state, w.background, w.limit, left)
		if err := sleep(w.ctx, wait); err != nil {
			return err
		}
		if _, err := io.ReadFull(from, buffer[:n]); err != nil {
			return err
		}
		if err := w.permit.extend(); err != nil {
			return err
		}
		if _, err := w.to.Write(buffer[:n]); err != nil {
			return err
		}
		left -= n
	}
	return nil
}
