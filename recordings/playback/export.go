package playback

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
)

// Bounds of exports: the places of all their fragments are in memory.
const (
	maxExport          = 24 * time.Hour
	maxExportFragments = 400_000
	maxExportSegments  = 10_000
)

// getExport answers GET /v1/recordings/{camera}/export.mp4: one MP4 file of a time.
func (a *API) getExport(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	q := parseQuery(r, "from", "to", "rendition", "sound", "gaps")
	span, stream := q.span(maxExport, "Export at most 24 hours at once."), q.stream(camera)
	options := export.Options{NoSound: q.oneOf("sound", "1", "0") == "0", KeepGaps: q.oneOf("gaps", "skip", "keep") == "keep", Writer: "Sightline"}
	if q.err != nil {
		return q.err
	}
	leave, ok := a.exports.enter(exporterOf(r, p))
	if !ok {
		return busy("As many exports are under way as there may be. Try again when one has ended.")
	}
	defer leave()
	d, r, done := a.download(w, r, p, camera)
	defer done()
	segments, more, err := a.segments(r.Context(), stream, span, bounds{2 * maxExport, maxExportFragments, maxExportSegments})
	if err != nil {
		return a.failed(r.Context(), "lay out an export", err)
	}
	if more {
		return badRequest("That is too much for one file. Export a shorter time.")
	}
	file, err := export.New(r.Context(), a.open, segments, span, options)
	if errors.Is(err, export.ErrNothing) {
		return notFound("Nothing was recorded in that time. The timeline says what was.")
	}
	if err != nil {
		return a.failed(r.Context(), "lay out an export", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	h := w.Header()
	h.Set("Content-Type", typeMP4)
	h.Set("Content-Disposition", `attachment; filename="`+camera+"_"+fileTime(span.From)+"_"+fileTime(span.To)+`.mp4"`)
	h.Set("Cache-Control", "no-store")
	h.Set("ETag", exportTag(segments, file.Size(), options))
	a.serve(d, r, file)
	return nil
}

// open opens a segment for an export.
func (a *API) open(ctx context.Context, ref recordings.Ref) (export.Media, error) {
	return a.opts.Library.Open(ctx, ref)
}

// exportTag names the bytes of an export: what is in it, and how. An export of the
// same that is asked for again can go on where the first one broke off.
func exportTag(segments []recordings.Segment, size int64, o export.Options) string {
	h := sha256.New()
	number := func(n int64) { _ = binary.Write(h, binary.BigEndian, n) } // a hash takes everything
	number(size)
	for _, flag := range []bool{o.KeepGaps, o.NoSound} {
		if flag {
			number(1)
		} else {
			number(0)
		}
	}
	for _, s := range segments {
		_, _ = h.Write([]byte(s.String() + "/" + segmentID(s.Ref)))
		number(int64(len(s.Fragments)))
		for i := range s.Fragments {
			f := &s.Fragments[i]
			number(int64(f.Start))
			number(f.Offset)
			number(f.Bytes)
			number(f.Duration.Microseconds())
		}
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18]) + `"`
}
