package playback

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// Bounds of an answer with fragments.
const (
	maxFragmentTime = 15 * time.Minute
	maxFragments    = 10_000
	maxSegments     = 500
	segmentBatch    = 8 // asked of the library at once
)

type segmentView struct {
	ID        string       `json:"id"`
	StartUs   int64        `json:"startUs"`
	EndUs     int64        `json:"endUs"`
	InitBytes int64        `json:"initBytes"`
	Bytes     int64        `json:"bytes"`
	Video     string       `json:"video"`
	Width     int          `json:"width"`
	Height    int          `json:"height"`
	Audio     string       `json:"audio"`
	Open      bool         `json:"open"`
	Signed    bool         `json:"signed"`
	Fragments fragmentRows `json:"fragments"`
}

// fragmentRows are written as [[startUs, durationUs, mediaStart, offset, bytes,
// videoBytes, key], ...].
type fragmentRows []recordings.Fragment

// MarshalJSON implements json.Marshaler.
func (rows fragmentRows) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+72*len(rows))
	b = append(b, '[')
	for i := range rows {
		f := &rows[i]
		if i > 0 {
			b = append(b, ',')
		}
		key := int64(0)
		if f.Key {
			key = 1
		}
		separator := byte('[')
		for _, n := range [...]int64{int64(f.Start), f.Duration.Microseconds(), f.MediaStart, f.Offset, f.Bytes, f.VideoBytes, key} {
			b = append(b, separator)
			b = strconv.AppendInt(b, n, 10)
			separator = ','
		}
		b = append(b, ']')
	}
	return append(b, ']'), nil
}

// getSegments answers GET /v1/recordings/{camera}/segments: what a player needs to
// fetch a time by byte ranges.
func (a *API) getSegments(w http.ResponseWriter, r *http.Request, camera string, _ *trust.Principal) *apiError {
	q := parseQuery(r, "from", "to", "rendition")
	span, stream := q.span(0, ""), q.stream(camera)
	if q.err != nil {
		return q.err
	}
	segments, more, err := a.segments(r.Context(), stream, span, answerBounds())
	if err != nil {
		return a.failed(r.Context(), "list segments", err)
	}
	views := make([]segmentView, 0, len(segments))
	for _, s := range segments {
		views = append(views, segmentView{
			ID: segmentID(s.Ref), StartUs: int64(s.Start), EndUs: int64(s.End), InitBytes: s.InitBytes, Bytes: s.Bytes,
			Video: s.Format.Video, Width: s.Format.Width, Height: s.Format.Height, Audio: s.Format.Audio, Open: s.Open, Signed: s.Format.Signed,
			Fragments: s.Fragments,
		})
	}
	writeJSON(w, http.StatusOK, struct {
		Segments []segmentView `json:"segments"`
		More     bool          `json:"more"`
	}{views, more})
	return nil
}

// bounds say how much of a time an answer may have.
type bounds struct {
	time                time.Duration
	fragments, segments int
}

// answerBounds are those of one answer.
func answerBounds() bounds {
	return bounds{time: maxFragmentTime, fragments: maxFragments, segments: maxSegments}
}

// segments returns what overlaps a time, with its fragments and no others, in each
// segment from the key frame on that the time begins with. more says that there is
// more than may be; it goes on at the end of the last fragment.
func (a *API) segments(ctx context.Context, stream recordings.Stream, span recordings.Range, most bounds) (out []recordings.Segment, more bool, err error) {
	left, count := most.time, 0
	seen := make(map[recordings.Ref]bool)
	for rest := span; ; {
		batch, err := a.opts.Library.Segments(ctx, stream, rest, true, segmentBatch)
		if err != nil {
			return nil, false, err
		}
		fresh := false
		for _, s := range batch {
			if seen[s.Ref] {
				continue
			}
			seen[s.Ref], fresh = true, true
			if s.Fragments = within(s.Fragments, span); len(s.Fragments) == 0 {
				continue
			}
			took := 0
			if len(out) < most.segments {
				took = fill(s.Fragments, &left, &count, most.fragments)
			}
			if took > 0 {
				out = append(out, s)
				out[len(out)-1].Fragments = s.Fragments[:took:took]
			}
			if took < len(s.Fragments) {
				return out, true, nil
			}
		}
		if len(batch) < segmentBatch {
			return out, false, nil
		}
		// Those of several generations may overlap, so what comes next may begin
		// before the last one ends.
		last := batch[len(batch)-1]
		rest.From = max(rest.From, last.Start) + 1
		if !fresh {
			rest.From = max(rest.From, last.End)
		}
		if rest.Empty() {
			return out, false, nil
		}
	}
}

// fill takes fragments from the front as long as there is room for them, and says
// how many. The first of all has room whatever its length, so that a client gets on.
func fill(fragments []recordings.Fragment, left *time.Duration, count *int, most int) (took int) {
	for _, f := range fragments {
		if *count > 0 && (f.Duration > *left || *count >= most) {
			return took
		}
		*left -= f.Duration
		*count++
		took++
	}
	return took
}

// within returns those fragments of a segment that are needed to show a time: from
// the key frame at or before its beginning to the last that begins before its end.
func within(fragments []recordings.Fragment, span recordings.Range) []recordings.Fragment {
	first, last := -1, 0
	key := 0
	for i := range fragments {
		f := &fragments[i]
		if f.Key {
			key = i
		}
		if f.Start >= span.To || f.End() <= span.From {
			continue
		}
		if first < 0 {
			first = key
		}
		last = i + 1
	}
	if first < 0 {
		return nil
	}
	return fragments[first:last]
}
