package playback

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// Bounds of a timeline's answer.
const (
	maxTimelineSteps = 5000 // what is shorter than so many parts of the whole is joined
	defaultSteps     = 2000
	maxMarks         = 1000 // events, locks and pauses, the newest of each
)

type timelineView struct {
	Ranges spans       `json:"ranges"`
	Gaps   []gapView   `json:"gaps"`
	Events []eventView `json:"events"`
	Locks  []lockView  `json:"locks"`
	Pauses []pauseView `json:"pauses"`
}

type gapView struct {
	FromMs int64            `json:"fromMs"`
	ToMs   int64            `json:"toMs"`
	Cause  recordings.Cause `json:"cause"`
	Text   string           `json:"text"`
}

type lockView struct {
	ID     string `json:"id"`
	FromMs int64  `json:"fromMs"`
	ToMs   int64  `json:"toMs"`
	Name   string `json:"name"`
}

type pauseView struct {
	FromMs int64  `json:"fromMs"`
	ToMs   int64  `json:"toMs"` // 0 while it has no end
	By     string `json:"by"`
}

// spans are written as [[fromMs,toMs],...].
type spans []recordings.Range

// MarshalJSON implements json.Marshaler.
func (s spans) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+30*len(s))
	b = append(b, '[')
	for i, r := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = strconv.AppendInt(b, millis(r.From), 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, millis(r.To), 10)
		b = append(b, ']')
	}
	return append(b, ']'), nil
}

// getTimeline answers GET /v1/recordings/{camera}/timeline, from the index alone.
func (a *API) getTimeline(w http.ResponseWriter, r *http.Request, camera string, _ *trust.Principal) *apiError {
	q := parseQuery(r, "from", "to", "rendition", "resolution")
	span, stream := q.span(0, ""), q.stream(camera)
	asked := q.number("resolution", 0, 0, maxMillis)
	if q.err != nil {
		return q.err
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	timeline, err := a.opts.Library.Timeline(r.Context(), stream, span, resolution(span, asked))
	if err != nil {
		return a.failed(r.Context(), "make a timeline", err)
	}
	out := timelineView{Ranges: timeline.Ranges, Gaps: make([]gapView, 0, len(timeline.Gaps))}
	for _, g := range timeline.Gaps {
		out.Gaps = append(out.Gaps, gapView{millis(g.From), millis(g.To), g.Cause, causeText(g.Cause)})
	}
	if err := a.marks(r.Context(), camera, span, &out); err != nil {
		return a.failed(r.Context(), "make a timeline", err)
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// resolution is what a timeline of that length is made with, in place of what was
// asked for, in milliseconds.
func resolution(span recordings.Range, askedMs int64) time.Duration {
	// In microseconds: a Duration holds 292 years, and the range may be longer.
	micros := int64(span.To - span.From)
	asked := min(askedMs, micros/1000) * 1000
	if asked == 0 {
		asked = micros / defaultSteps
	}
	return time.Duration(max(asked, micros/maxTimelineSteps)) * time.Microsecond
}

// marks adds what people and sensors have said about the time.
func (a *API) marks(ctx context.Context, camera string, span recordings.Range, out *timelineView) error {
	events, err := a.opts.Library.Events(ctx, camera, span, maxMarks)
	if err != nil {
		return err
	}
	locks, err := a.opts.Library.Locks(ctx, camera, span)
	if err != nil {
		return err
	}
	pauses, err := a.opts.Library.Pauses(ctx, camera, span)
	if err != nil {
		return err
	}
	out.Events = eventViews(newest(events))
	out.Locks, out.Pauses = []lockView{}, []pauseView{}
	for _, l := range newest(locks) {
		out.Locks = append(out.Locks, lockView{l.ID, millis(l.From), millis(l.To), l.Name})
	}
	for _, p := range newest(pauses) {
		out.Pauses = append(out.Pauses, pauseView{millis(p.From), millis(p.To), p.By})
	}
	return nil
}

// newest cuts a list that is in order of time.
func newest[T any](all []T) []T { return all[max(0, len(all)-maxMarks):] }

// causeText says to a person why there is a gap.
func causeText(c recordings.Cause) string {
	switch c {
	case recordings.CameraOffline:
		return "The camera was not connected."
	case recordings.NotRecording:
		return "The recorder was not running."
	case recordings.Crash:
		return "The recorder was interrupted."
	case recordings.Paused:
		return "Recording was paused."
	case recordings.Schedule:
		return "Nothing is recorded at this time."
	case recordings.NoEvent:
		return "Nothing happened."
	case recordings.FramesLost:
		return "Pictures were lost on the way."
	case recordings.AgentUnreachable:
		return "The camera's device could not be reached for too long."
	case recordings.DiskFull:
		return "The disk was full."
	case recordings.DiskFailed:
		return "The disk failed."
	case recordings.DiskSlow:
		return "The disk was too slow."
	case recordings.ClockStep:
		return "The clock was set forward; nothing is missing."
	case recordings.Damaged:
		return "The recording is damaged."
	case recordings.Unknown:
	}
	return "Nobody knows why."
}
