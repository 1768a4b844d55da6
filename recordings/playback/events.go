package playback

import (
	"net/http"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// Bounds of a list of events.
const (
	defaultEvents  = 100
	maxEvents      = 1000
	maxEventsOfAll = 10_000 // looked at for those of one type
)

type eventView struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	FromMs int64  `json:"fromMs"`
	ToMs   int64  `json:"toMs"`
	Text   string `json:"text"`
}

func eventViews(events []recordings.Event) []eventView {
	views := make([]eventView, 0, len(events))
	for _, e := range events {
		views = append(views, eventView{e.ID, e.Type, millis(e.From), millis(e.To), e.Text})
	}
	return views
}

// getEvents answers GET /v1/recordings/{camera}/events: the newest in a time.
func (a *API) getEvents(w http.ResponseWriter, r *http.Request, camera string, _ *trust.Principal) *apiError {
	q := parseQuery(r, "from", "to", "limit", "type")
	span := q.span(0, "")
	limit := int(q.number("limit", defaultEvents, 1, maxEvents))
	kind, only := q.get("type")
	if only && !isEventType(kind) {
		q.fail("The parameter type is " + quoted(kind) + "; " + eventTypeRule)
	}
	if q.err != nil {
		return q.err
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	look := limit
	if only {
		look = maxEventsOfAll
	}
	events, err := a.opts.Library.Events(r.Context(), camera, span, look)
	if err != nil {
		return a.failed(r.Context(), "list events", err)
	}
	some := make([]recordings.Event, 0, limit)
	for _, e := range events {
		if !only || e.Type == kind {
			some = append(some, e)
		}
	}
	writeJSON(w, http.StatusOK, struct {
		Events []eventView `json:"events"`
	}{eventViews(some[max(0, len(some)-limit):])})
	return nil
}
