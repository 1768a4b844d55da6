package playback

import (
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// maxDays bounds an answer of days.
const maxDays = 400

type dayView struct {
	Date       string `json:"date"`
	RecordedMs int64  `json:"recordedMs"`
	Bytes      int64  `json:"bytes"`
	Events     int64  `json:"events"`
}

// getDays answers GET /v1/recordings/{camera}/days: the days of a calendar on which
// there is something.
func (a *API) getDays(w http.ResponseWriter, r *http.Request, camera string, _ *trust.Principal) *apiError {
	q := parseQuery(r, "zone", "from", "to")
	loc := q.zone()
	from, to := q.date("from", loc), q.date("to", loc)
	if q.err != nil {
		return q.err
	}
	to = to.AddDate(0, 0, 1) // the day itself is asked for too
	if !from.Before(to) || to.After(from.AddDate(0, 0, maxDays)) {
		return badRequest("Ask for 1 to 400 days, the first one as from and the last one as to.")
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	days, err := a.opts.Library.Days(r.Context(), camera, loc, recordings.Range{From: recordings.TimeOf(from), To: recordings.TimeOf(to)})
	if err != nil {
		return a.failed(r.Context(), "sum up days", err)
	}
	views := make([]dayView, 0, len(days))
	for _, d := range days {
		views = append(views, dayView{d.Date, d.Recorded.Milliseconds(), d.Bytes, d.Events})
	}
	writeJSON(w, http.StatusOK, struct {
		Days []dayView `json:"days"`
	}{views})
	return nil
}

// zone reads a name of the IANA time zone database. Without one it is UTC.
func (q *query) zone() *time.Location {
	name, ok := q.get("zone")
	if !ok || name == "UTC" {
		return time.UTC
	}
	// Local is the recorder's own zone, which is nobody's business.
	if len(name) <= 64 && name != "Local" && name != "" && !strings.Contains(name, "\x00") {
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	q.fail("The recorder does not know the time zone " + quoted(name) + ". Give a name like Europe/Berlin or UTC.")
	return time.UTC
}

// date reads a required day of the calendar and returns its midnight.
func (q *query) date(name string, loc *time.Location) time.Time {
	text, _ := q.get(name)
	t, err := time.ParseInLocation(time.DateOnly, text, loc)
	if err != nil || t.Year() < 1971 {
		q.fail("The parameter " + name + " must be a day like 2026-11-21.")
	}
	return t
}
