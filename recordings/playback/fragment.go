package playback

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// getFragment answers GET /v1/recordings/{camera}/fragment: the one that covers a
// time.
func (a *API) getFragment(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	q := parseQuery(r, "at", "rendition")
	at, stream := q.time("at"), q.stream(camera)
	if q.err != nil {
		return q.err
	}
	// A fragment begins at a microsecond, and a client knows a millisecond.
	moment := recordings.Range{From: at, To: at.Add(time.Millisecond)}
	segments, err := a.opts.Library.Segments(r.Context(), stream, moment, true, segmentBatch)
	if err != nil {
		return a.failed(r.Context(), "find a fragment", err)
	}
	seg, f, ok := covering(segments, moment)
	if !ok {
		return notFound("Nothing was recorded at that time. The timeline says what was.")
	}
	media, err := a.opts.Library.Open(r.Context(), seg.Ref)
	if err != nil {
		return a.failed(r.Context(), "open a segment", err)
	}
	defer func() { _ = media.Close() }() // it was only read
	h := w.Header()
	h.Set("Content-Type", typeMP4)
	h.Set("Cache-Control", "no-store")
	h.Set("Sightline-Segment", segmentID(seg.Ref))
	h.Set("Sightline-Start-Us", strconv.FormatInt(int64(f.Start), 10))
	h.Set("Sightline-Init-Bytes", strconv.FormatInt(seg.InitBytes, 10))
	h.Set("Sightline-Video-Bytes", strconv.FormatInt(f.VideoBytes, 10))
	d, r, done := a.download(w, r, p, camera)
	defer done()
	a.serve(d, r, io.NewSectionReader(media, f.Offset, f.Bytes))
	return nil
}

// covering returns the last fragment that overlaps a moment.
func covering(segments []recordings.Segment, moment recordings.Range) (seg recordings.Segment, found recordings.Fragment, ok bool) {
	for _, s := range segments {
		for _, f := range s.Fragments {
			if f.Start < moment.To && f.End() > moment.From {
				seg, found, ok = s, f, true
			}
		}
	}
	return seg, found, ok
}
