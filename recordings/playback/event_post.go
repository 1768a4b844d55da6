package playback

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// Bounds of an event that is reported.
const (
	maxEventText     = 200 // characters
	maxEventAge      = 31 * 24 * time.Hour
	maxEventAhead    = 5 * time.Minute // of a sensor whose clock is not right
	maxEventDuration = 24 * time.Hour
	// What has but the token is a sensor, which tells what has just happened. What it
	// reports keeps recordings, so that somebody who has stolen it keeps little.
	maxTokenEventAge      = 24 * time.Hour
	maxTokenEventDuration = time.Hour
	minEventToken         = 16 // characters
)

const eventTypeRule = "it must be 1 to 32 of a-z, 0-9, - and _."

// reportedEvent is the body of POST /v1/events.
type reportedEvent struct {
	Camera     string `json:"camera"`
	Type       string `json:"type"`
	Text       string `json:"text"`
	AtMs       int64  `json:"atMs"`
	DurationMs int64  `json:"durationMs"`
}

// postEvent answers POST /v1/events: something happened. Who administers the
// camera may say so, the console, and on the own listener whoever has the event
// token.
func (a *API) postEvent(w http.ResponseWriter, r *http.Request, p *trust.Principal) {
	if err := a.report(w, r, p); err != nil {
		err.write(w)
	}
}

func (a *API) report(w http.ResponseWriter, r *http.Request, p *trust.Principal) *apiError {
	if p == nil && !a.hasEventToken(r) {
		return fail(http.StatusUnauthorized, "unauthorized", "Send the recorder's event token: Authorization: Bearer, and what is in the file event-token of its state directory.")
	}
	if err := parseQuery(r).err; err != nil {
		return err
	}
	var in reportedEvent
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if p != nil {
		if err := need(p, access.Admin, in.Camera); err != nil {
			return err
		}
	}
	now := time.Now()
	event, err := in.event(now, p == nil)
	if err != nil {
		return err
	}
	if err := a.known(r.Context(), in.Camera); err != nil {
		return err
	}
	if !a.events.take(now, in.Camera) {
		e := fail(http.StatusTooManyRequests, "too_often", "That is more events than one camera may have. Wait a moment.")
		e.RetryAfter = eventEvery
		return e
	}
	kept, failure := a.opts.Library.AddEvent(r.Context(), event)
	if failure != nil {
		return a.notKept(r.Context(), "write an event down", failure)
	}
	writeJSON(w, http.StatusCreated, created{kept.ID})
	return nil
}

// created is the answer to what made something.
type created struct {
	ID string `json:"id"`
}

// hasEventToken reports whether a request shows the event token (RFC 6750 §2.1).
func (a *API) hasEventToken(r *http.Request) bool {
	token := a.opts.EventToken()
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if len(token) < minEventToken || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	// By hash, so that the time it takes says nothing, not even how long it is.
	want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(strings.TrimSpace(text)))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// event checks what was reported; token says that it was with the event token.
func (in *reportedEvent) event(now time.Time, token bool) (recordings.Event, *apiError) {
	at := now
	if in.AtMs != 0 {
		at = time.UnixMilli(in.AtMs)
	}
	length := time.Duration(min(in.DurationMs, maxEventDuration.Milliseconds()+1)) * time.Millisecond
	switch {
	case !isEventType(in.Type):
		return recordings.Event{}, badRequest("The type is " + quoted(in.Type) + "; " + eventTypeRule)
	case !isText(in.Text, maxEventText):
		return recordings.Event{}, badRequest("The text must be one line of at most 200 characters.")
	case in.AtMs < 0 || at.Before(now.Add(-maxEventAge)) || at.After(now.Add(maxEventAhead)):
		return recordings.Event{}, badRequest("The time atMs must be of the last 31 days, in milliseconds since 1970; 0 is now. Is the sensor's clock right?")
	case token && at.Before(now.Add(-maxTokenEventAge)):
		return recordings.Event{}, badRequest("With the event token the time atMs must be of the last 24 hours. Is the sensor's clock right?")
	case length < 0 || length > maxEventDuration:
		return recordings.Event{}, badRequest("The duration must be 0 to 86400000 milliseconds.")
	case token && length > maxTokenEventDuration:
		return recordings.Event{}, badRequest("With the event token the duration must be 0 to 3600000 milliseconds.")
	}
	from := recordings.TimeOf(at)
	return recordings.Event{
		Camera: in.Camera, Type: in.Type, Text: in.Text,
		Range: recordings.Range{From: from, To: from.Add(length)},
	}, nil
}

func isEventType(s string) bool {
	other := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
	}
	return len(s) >= 1 && len(s) <= 32 && strings.IndexFunc(s, other) < 0
}

// isText reports whether it can be shown to people on one line.
func isText(s string, most int) bool {
	const joiner = '\u200d' // in emoji
	hidden := func(c rune) bool { return !unicode.IsGraphic(c) && c != joiner }
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && strings.IndexFunc(s, hidden) < 0
}
