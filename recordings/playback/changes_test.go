package playback

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const eventToken = "0123456789abcdefghijkl"

func withToken(o *Options) { o.EventToken = func() string { return eventToken } }

func doorEvent(change string) string {
	body := `{"camera":"front","type":"door","text":"opened","atMs":0,"durationMs":1500}`
	if old, replacement, ok := strings.Cut(change, "=>"); ok {
		return strings.Replace(body, old, replacement, 1)
	}
	return body
}

func TestEvents_MayBeReportedInThreeWays(t *testing.T) {
	d := newDesk(t, withToken)
	for _, tt := range []struct {
		who, bearer string
		status      int
	}{
		{"", "Bearer " + eventToken, 201},
		{"", "bearer " + eventToken, 201},
		{"", "", 401},
		{"", "Bearer wrong", 401},
		{"", "Basic " + eventToken, 401},
		{"", "Bearer ", 401},
		{"owner", "", 201},
		{"console", "", 201},
		{"admin", "", 201},
		{"events", "", 403},
		{"playback", "", 403},
		{"live", "Bearer " + eventToken, 403}, // the token is for those who are nobody
	} {
		w := d.ask(tt.who, "POST", "/v1/events", doorEvent(""), "Authorization", tt.bearer)
		if w.Code != tt.status {
			t.Errorf("%q with %q: %d %s", tt.who, tt.bearer, w.Code, w.Body)
		}
	}
	if len(d.shelf.events) != 5 {
		t.Errorf("%d events", len(d.shelf.events))
	}
	e := d.shelf.events[0]
	if e.Camera != "front" || e.Type != "door" || e.Text != "opened" || e.Duration() != 1500*time.Millisecond || time.Since(e.From.Std()).Abs() > time.Minute {
		t.Errorf("%+v", e)
	}
}

func TestEvents_WithoutATokenNobodyHasIt(t *testing.T) {
	for _, token := range []string{"", "short"} {
		d := newDesk(t, func(o *Options) { o.EventToken = func() string { return token } })
		if w := d.ask("", "POST", "/v1/events", doorEvent(""), "Authorization", "Bearer "+token); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %d", token, w.Code)
		}
	}
}

func TestEvents_AreChecked(t *testing.T) {
	d := newDesk(t, withToken)
	now := time.Now()
	at := func(t time.Time) string { return fmt.Sprintf(`"atMs":0=>"atMs":%d`, t.UnixMilli()) }
	for change, want := range map[string]int{
		`"door"=>"Door"`: 400, `"door"=>""`: 400, `"door"=>"` + strings.Repeat("a", 33) + `"`: 400, `"door"=>"a b"`: 400,
		`opened=>` + strings.Repeat("ä", 200): 201, `opened=>` + strings.Repeat("a", 201): 400, `opened=>a\nb`: 400, `opened=>a\u202eb`: 400, `opened=>玄関　👨‍👩‍👧`: 201,
		at(now.Add(-time.Hour)): 201, at(now.Add(time.Minute)): 201, at(now.Add(time.Hour)): 400, at(now.AddDate(0, -2, 0)): 400, `"atMs":0=>"atMs":-1`: 400,
		`1500=>0`: 201, `1500=>-1`: 400, `1500=>86400001`: 400, `1500=>1e3`: 400,
		`"front"=>"nobody"`: 404, `"front"=>""`: 404, `"text"=>"txt"`: 400, `}=>`: 400, `}=>,"x":1}`: 400,
	} {
		if w := d.ask("", "POST", "/v1/events", doorEvent(change), "Authorization", "Bearer "+eventToken); w.Code != want {
			t.Errorf("%.60s: %d, want %d: %s", change, w.Code, want, w.Body)
		}
	}
	if w := d.ask("", "POST", "/v1/events", strings.Repeat(" ", maxBody+1), "Authorization", "Bearer "+eventToken); w.Code != 413 {
		t.Errorf("too large: %d", w.Code)
	}
	if w := d.ask("", "POST", "/v1/events", doorEvent(""), "Authorization", "Bearer "+eventToken, "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("no JSON: %d", w.Code)
	}
	if w := d.ask("", "POST", "/v1/events?camera=front", doorEvent(""), "Authorization", "Bearer "+eventToken); w.Code != 400 {
		t.Errorf("with a query: %d", w.Code)
	}
}

// The token is in many sensors: what has it cannot keep a month of recordings.
func TestEvents_WithTheTokenAreShortAndRecent(t *testing.T) {
	d := newDesk(t, withToken)
	now := time.Now()
	at := func(t time.Time) string { return fmt.Sprintf(`"atMs":0=>"atMs":%d`, t.UnixMilli()) }
	for change, token := range map[string]int{
		at(now.Add(-23 * time.Hour)): 201, at(now.Add(-25 * time.Hour)): 400, `1500=>3600000`: 201, `1500=>3600001`: 400, `1500=>86400000`: 400,
	} {
		if w := d.ask("", "POST", "/v1/events", doorEvent(change), "Authorization", "Bearer "+eventToken); w.Code != token {
			t.Errorf("%s with the token: %d %s", change, w.Code, w.Body)
		}
		if w := d.ask("admin", "POST", "/v1/events", doorEvent(change)); w.Code != 201 {
			t.Errorf("%s of an admin: %d %s", change, w.Code, w.Body)
		}
	}
	if w := d.ask("admin", "POST", "/v1/events", doorEvent(`1500=>9223372036854775807`)); w.Code != 400 {
		t.Errorf("of 300 million years: %d", w.Code)
	}
}

func TestEvents_ASensorThatIsStuckDoesNotFillTheDisk(t *testing.T) {
	d := newDesk(t, withToken)
	kept := 0
	for range eventBurst + 50 {
		w := d.ask("", "POST", "/v1/events", doorEvent(""), "Authorization", "Bearer "+eventToken)
		if w.Code == 201 {
			kept++
		} else if w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if kept < eventBurst || kept > eventBurst+20 {
		t.Errorf("%d of %d", kept, eventBurst+50)
	}
	if w := d.ask("", "POST", "/v1/events", doorEvent(`"front"=>"back"`), "Authorization", "Bearer "+eventToken); w.Code != 201 {
		t.Errorf("another camera: %d", w.Code)
	}
}

func TestEvents_TheNewestAreListed(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 10 {
		at := noon.Add(time.Duration(i) * time.Second)
		kind := []string{"door", "motion"}[i%2]
		d.shelf.events = append(d.shelf.events, recordings.Event{ID: fmt.Sprint(i), Camera: "front", Type: kind, Range: recordings.Range{From: at, To: at}})
	}
	for query, want := range map[string]string{"": "0 1 2 3 4 5 6 7 8 9", "&limit=2": "8 9", "&type=door": "0 2 4 6 8", "&type=door&limit=2": "6 8", "&type=bell": ""} {
		got := get[struct{ Events []eventView }](t, d, fmt.Sprintf("/v1/recordings/front/events?from=%d&to=%d%s", millis(noon), millis(noon)+60_000, query))
		var ids []string
		for _, e := range got.Events {
			ids = append(ids, e.ID)
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s: %v", query, ids)
		}
	}
}

func TestLocks_KeepATimeAndAreInTheAccessLog(t *testing.T) {
	d := newDesk(t, nil)
	w := d.ask("admin", "POST", "/v1/recordings/front/locks", fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"name":"burglary"}`, millis(noon), millis(noon)+60_000))
	var made created
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated || made.ID == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if l := d.shelf.locks[0]; l.Camera != "front" || l.Name != "burglary" || l.Duration() != time.Minute {
		t.Errorf("%+v", l)
	}
	if w := d.ask("all of back", "DELETE", "/v1/recordings/back/locks/"+made.ID, ""); w.Code != 404 || len(d.shelf.locks) != 1 {
		t.Errorf("by way of another camera: %d", w.Code)
	}
	if w := d.ask("admin", "DELETE", "/v1/recordings/front/locks/"+made.ID, ""); w.Code != 204 || len(d.shelf.locks) != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := d.ask("admin", "DELETE", "/v1/recordings/front/locks/"+made.ID, ""); w.Code != 404 {
		t.Errorf("again: %d", w.Code)
	}
	if got := d.kinds(); !slices.Equal(got, []ChangeKind{ChangeLock, ChangeUnlock}) {
		t.Errorf("%v", got)
	}
	if c := d.changes[0]; c.By != d.people["admin"] || c.What != "front "+made.ID+", 2026-11-21T12:00:00Z to 2026-11-21T12:01:00Z" || c.From != "192.0.2.1:1234" {
		t.Errorf("%+v", c)
	}
	for body, want := range map[string]int{
		`{"fromMs":5,"toMs":5,"name":""}`: 400, `{"fromMs":-5,"toMs":5,"name":""}`: 400, `{"fromMs":0,"toMs":604800001,"name":""}`: 400,
		`{"fromMs":0,"toMs":1,"name":"` + strings.Repeat("a", 65) + `"}`: 400, `{"fromMs":0,"toMs":9223372036854775807,"name":""}`: 400, `{}`: 400,
	} {
		if w := d.ask("admin", "POST", "/v1/recordings/front/locks", body); w.Code != want {
			t.Errorf("%.50s: %d", body, w.Code)
		}
	}
	d.shelf.locks = slices.Repeat([]recordings.Lock{{Camera: "front", Range: always()}}, maxLocks)
	if w := d.ask("admin", "POST", "/v1/recordings/front/locks", `{"fromMs":0,"toMs":1,"name":""}`); w.Code != 409 {
		t.Errorf("more than there may be: %d", w.Code)
	}
}

// Who administers a camera cannot keep everything of it, and so fill the disk.
func TestLocks_OnlyTheOwnerLocksWithoutBounds(t *testing.T) {
	d := newDesk(t, nil)
	const week = 7 * 24 * 3600 * 1000
	lock := func(who string, from, to int) int {
		return d.ask(who, "POST", "/v1/recordings/front/locks", fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"name":""}`, from, to)).Code
	}
	for i, want := range []int{201, 201, 201, 201, 409} { // 30 days are more than four weeks
		if got := lock("admin", i*week, (i+1)*week); got != want {
			t.Errorf("week %d: %d, want %d", i+1, got, want)
		}
	}
	if lock("admin", week/2, week) != 201 || lock("admin", 4*week, 4*week+2*week/7) != 201 || lock("admin", 5*week, 5*week+1) != 409 {
		t.Error("what is locked twice counts twice, or there is no bound to it")
	}
	if lock("owner", 5*week, 6*week) != 201 || lock("console", 6*week, 7*week) != 201 {
		t.Error("the owner may not lock more")
	}
}

func TestPause_StopsACameraAndIsInTheAccessLog(t *testing.T) {
	d := newDesk(t, nil)
	until := time.Now().Add(time.Hour).UnixMilli()
	if w := d.ask("admin", "PUT", "/v1/recordings/front/pause", fmt.Sprintf(`{"untilMs":%d}`, until)); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if p := d.shelf.paused["front"]; millis(p.To) != until || p.By != "admin" || time.Since(p.From.Std()).Abs() > time.Minute {
		t.Errorf("%+v", p)
	}
	for range 2 { // the second time there is nothing to end
		if w := d.ask("owner", "DELETE", "/v1/recordings/front/pause", ""); w.Code != 204 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if w := d.ask("console", "PUT", "/v1/recordings/front/pause", `{"untilMs":0}`); w.Code != 204 || d.shelf.paused["front"].To != 0 || d.shelf.paused["front"].By != "console" {
		t.Errorf("%d %+v", w.Code, d.shelf.paused)
	}
	if got := d.kinds(); !slices.Equal(got, []ChangeKind{ChangePause, ChangeResume, ChangePause}) {
		t.Errorf("%v", got)
	}
	for body, want := range map[string]int{
		`{"untilMs":1}`: 400, `{"untilMs":-1}`: 400, fmt.Sprintf(`{"untilMs":%d}`, time.Now().AddDate(2, 0, 0).UnixMilli()): 400, `{"until":0}`: 400, `[]`: 400,
	} {
		if w := d.ask("admin", "PUT", "/v1/recordings/front/pause", body); w.Code != want {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
}
