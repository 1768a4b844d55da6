package playback

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// Types of what is sent.
const (
	typeMP4      = "video/mp4"
	typePlaylist = "application/vnd.apple.mpegurl"
	typeBytes    = "application/octet-stream"
)

// maxRead bounds what is read into memory at once, in bytes.
const maxRead = 32 << 20

// finished is how long bytes that do not change any more may be kept by the client
// itself.
const finished = "private, max-age=3600"

// segmentOf reads the id in the path and finds the segment.
func (a *API) segmentOf(r *http.Request, camera string) (recordings.Segment, *apiError) {
	ref, err := parseSegmentID(camera, r.PathValue("id"))
	if err != nil {
		return recordings.Segment{}, badRequest("The segment " + quoted(r.PathValue("id")) + " is none; take an id of the list of segments, like main.1763740800000000.")
	}
	seg, err := a.opts.Library.Segment(r.Context(), ref, false)
	if err != nil {
		return seg, a.failed(r.Context(), "find a segment", err)
	}
	return seg, nil
}

// getSegmentFile answers GET /v1/recordings/{camera}/segments/{id}: the file, or any
// ranges of it.
func (a *API) getSegmentFile(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	q := parseQuery(r, "download")
	save := q.oneOf("download", "0", "1") == "1"
	if q.err != nil {
		return q.err
	}
	seg, bad := a.segmentOf(r, camera)
	if bad != nil {
		return bad
	}
	media, err := a.opts.Library.Open(r.Context(), seg.Ref)
	if err != nil {
		return a.failed(r.Context(), "open a segment", err)
	}
	defer func() { _ = media.Close() }() // it was only read
	h := w.Header()
	h.Set("Content-Type", typeMP4)
	if save {
		h.Set("Content-Disposition", `attachment; filename="`+camera+"_"+seg.Rendition+"_"+fileTime(seg.Start)+`.mp4"`)
	}
	setCaching(h, seg, "")
	d, r, done := a.download(w, r, p, camera)
	defer done()
	a.serve(d, r, io.NewSectionReader(media, 0, media.Size()))
	return nil
}

// setCaching says whether a part of a segment may be kept. A segment that is being
// written has no ETag: its bytes do not change, but they grow more.
func setCaching(h http.Header, seg recordings.Segment, part string) {
	h.Set("Cache-Control", "no-store")
	if !seg.Open {
		h.Set("Cache-Control", finished)
		h.Set("ETag", `"`+segmentID(seg.Ref)+"-"+strconv.FormatInt(seg.Bytes, 10)+part+`"`)
	}
}

// fileTime is a time in the name of a file.
func fileTime(t recordings.Time) string { return t.Std().Format("20060102T150405Z") }

// getInit answers GET /v1/recordings/{camera}/segments/{id}/init.mp4: what stands in
// front of the fragments, on demand without the sound.
func (a *API) getInit(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	q := parseQuery(r, "sound")
	sound := q.oneOf("sound", "1", "0") == "1"
	if q.err != nil {
		return q.err
	}
	seg, bad := a.segmentOf(r, camera)
	if bad != nil {
		return bad
	}
	init, err := a.readInit(r.Context(), seg.Ref, seg.InitBytes, sound)
	if err != nil {
		return a.failed(r.Context(), "read the beginning of a segment", err)
	}
	h := w.Header()
	h.Set("Content-Type", typeMP4)
	h.Set("Cache-Control", finished) // it does not change while the segment grows
	h.Set("ETag", `"`+segmentID(seg.Ref)+"-init-"+strconv.Itoa(len(init))+`"`)
	d, r, done := a.download(w, r, p, camera)
	defer done()
	a.serve(d, r, bytes.NewReader(init))
	return nil
}

// readInit reads what stands in front of a segment's fragments.
func (a *API) readInit(ctx context.Context, ref recordings.Ref, size int64, sound bool) ([]byte, error) {
	if size <= 0 || size > fmp4.MaxInitBytes {
		return nil, fmt.Errorf("read the beginning of %s: %d bytes are none: %w", segmentID(ref), size, fmp4.ErrMalformed)
	}
	media, err := a.opts.Library.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer func() { _ = media.Close() }() // it was only read
	init, err := read(media, ref, 0, size)
	if err != nil || sound {
		return init, err
	}
	return fmp4.VideoInit(init)
}

// read reads a part of a segment that has a place in memory.
func read(media Media, ref recordings.Ref, offset, size int64) ([]byte, error) {
	if size < 0 || size > maxRead || offset < 0 || offset > media.Size()-size {
		return nil, fmt.Errorf("read %s: no %d bytes at %d of %d: %w", segmentID(ref), size, offset, media.Size(), fmp4.ErrMalformed)
	}
	b := make([]byte, size)
	if n, err := media.ReadAt(b, offset); n < len(b) { // else an error says that it was the end
		return nil, fmt.Errorf("read %s: %w", segmentID(ref), err)
	}
	return b, nil
}
