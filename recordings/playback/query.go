package playback

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// maxQuery bounds the query of a request, in bytes.
const maxQuery = 1024

// query is the query of a request, read strictly: each parameter is known, and
// there once. The first thing that is wrong stays in err, and everything read after
// it is worth nothing. Owned by one handler.
type query struct {
	values url.Values
	err    *apiError
}

// parseQuery reads the query of a request that has these parameters and no other.
func parseQuery(r *http.Request, known ...string) *query {
	q := &query{}
	if len(r.URL.RawQuery) > maxQuery {
		q.fail("The query is too long.")
		return q
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		q.fail("The query cannot be read. Write it as name=value&name=value, special characters as %XX.")
		return q
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case !slices.Contains(known, name):
			q.fail("There is no parameter " + quoted(name) + " here. " + listOf(known))
		case len(values[name]) > 1:
			q.fail("The parameter " + name + " is there more than once.")
		}
	}
	q.values = values
	return q
}

// quoted shows a stranger's text, cut and harmless.
func quoted(s string) string {
	if len(s) > 32 {
		s = strings.ToValidUTF8(s[:32], "") + "…"
	}
	return strconv.Quote(s)
}

func listOf(known []string) string {
	if len(known) == 0 {
		return "It takes none."
	}
	return "It takes " + strings.Join(known, ", ") + "."
}

func (q *query) fail(message string) {
	if q.err == nil {
		q.err = badRequest(message)
	}
}

// get returns the text of a parameter; ok is false without one.
func (q *query) get(name string) (text string, ok bool) {
	all := q.values[name]
	if len(all) == 0 || q.err != nil {
		return "", false
	}
	return all[0], true
}

// number reads a parameter from least to most.
func (q *query) number(name string, missing, least, most int64) int64 {
	text, ok := q.get(name)
	if !ok {
		return missing
	}
	n, ok := decimal(text, most)
	if !ok || n < least {
		q.fail("The parameter " + name + " is " + quoted(text) + "; it must be a whole number from " +
			strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10) + ".")
		return missing
	}
	return n
}

// oneOf reads a parameter with few values, the first of which is the default.
func (q *query) oneOf(name string, values ...string) string {
	text, ok := q.get(name)
	if !ok {
		return values[0]
	}
	if !slices.Contains(values, text) {
		q.fail("The parameter " + name + " is " + quoted(text) + "; it must be " + strings.Join(values, " or ") + ".")
	}
	return text
}

// maxMillis is the end of the year 9999.
const maxMillis = maxMicros / 1000

// time reads a required time in Unix milliseconds.
func (q *query) time(name string) recordings.Time {
	if _, ok := q.get(name); !ok {
		q.fail("The parameter " + name + " is missing. Give the time in milliseconds since 1970, for example " + name + "=1763740800000.")
		return 0
	}
	return ofMillis(q.number(name, 0, 0, maxMillis))
}

// span reads from and to.
func (q *query) span(longest time.Duration, why string) recordings.Range {
	r := recordings.Range{From: q.time("from"), To: q.time("to")}
	if q.err == nil {
		q.err = checkSpan(r, longest, why)
	}
	return r
}

// checkSpan refuses a range with nothing in it, and one that is too long; why says
// what to do then. longest 0 is no limit.
func checkSpan(r recordings.Range, longest time.Duration, why string) *apiError {
	switch {
	case r.Empty():
		return badRequest("The end must be later than the beginning.")
	case longest > 0 && r.To > r.From+recordings.Time(longest.Microseconds()):
		return badRequest("That is too long a time. " + why)
	}
	return nil
}

// stream reads the rendition of a camera.
func (q *query) stream(camera string) recordings.Stream {
	return recordings.Stream{Camera: camera, Rendition: q.oneOf("rendition", recordings.Main, recordings.Sub)}
}

// ofMillis returns the time of Unix milliseconds.
func ofMillis(ms int64) recordings.Time { return recordings.Time(ms * 1000) }

// millis returns a time in Unix milliseconds, rounded down.
func millis(t recordings.Time) int64 { return t.Std().UnixMilli() }
