package playback

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

func TestOverview_SaysHowEverythingStands(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.fill(t, front(noon), 3, 100, time.Second, func(s *recordings.Segment) { s.Open = true })
	d.shelf.paused["front"] = recordings.Pause{Camera: "front", Range: recordings.Range{From: noon, To: noon.Add(time.Hour)}}
	w := d.ask("owner", "GET", "/v1/recordings", "")
	_, rest, _ := strings.Cut(w.Body.String(), ",")
	want := `"cameras":[{"id":"front","name":"Front door","recording":true,"paused":true,"pausedUntilMs":1795266000000,"reason":"","origin":"",` +
		`"streams":[{"rendition":"main","fromMs":1795262400000,"toMs":1795262403000,"durableMs":1795262403000,"bytes":900,"video":"avc1.42e01f","width":1280,"height":720,"audio":"opus","signed":false,"recording":true}]},` +
		`{"id":"back","name":"Garden","recording":false,"paused":false,"pausedUntilMs":0,"reason":"The camera is not connected.","origin":"","streams":[]}],` +
		`"disks":[{"usable":true,"reason":"","totalBytes":100,"freeBytes":50,"usedBytes":40,"path":"/mnt/a"},{"usable":false,"reason":"/mnt/b was unmounted","totalBytes":0,"freeBytes":0,"usedBytes":0,"path":"/mnt/b"}]}` + "\n"
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Error(diff)
	}
}

func TestDays_AreThoseOfTheZone(t *testing.T) {
	d := newDesk(t, nil)
	// Clocks are set back on the 25th in Berlin.
	got := get[struct{ Days []dayView }](t, d, "/v1/recordings/front/days?zone=Europe/Berlin&from=2026-10-25&to=2026-10-25")
	if d.shelf.asked.loc.String() != "Europe/Berlin" || d.shelf.asked.span.Duration() != 25*time.Hour {
		t.Errorf("asked for %v in %v", d.shelf.asked.span.Duration(), d.shelf.asked.loc)
	}
	if diff := cmp.Diff([]dayView{{"2026-10-25", 3_600_000, 5, 2}}, got.Days); diff != "" {
		t.Error(diff)
	}
}

func TestTimeline_ShowsRangesGapsAndMarks(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.fill(t, front(noon), 10, 100, time.Second, nil)
	d.shelf.fill(t, front(noon.Add(time.Minute)), 10, 100, time.Second, func(s *recordings.Segment) {
		s.Gaps = []recordings.Gap{{Range: recordings.Range{From: noon.Add(10 * time.Second), To: s.Start}, Cause: recordings.CameraOffline}}
	})
	span := recordings.Range{From: noon.Add(time.Second), To: noon.Add(2 * time.Second)}
	d.shelf.events = []recordings.Event{{ID: "e", Camera: "front", Type: "door", Range: span, Text: "<open>"}, {ID: "f", Camera: "back", Range: span}}
	d.shelf.locks = []recordings.Lock{{ID: "l", Camera: "front", Range: span, Name: "burglary"}}
	d.shelf.pauses = []recordings.Pause{{Camera: "front", Range: recordings.Range{From: noon}, By: "Ann"}}
	ms := millis(noon)
	w := d.ask("playback", "GET", fmt.Sprintf("/v1/recordings/front/timeline?from=%d&to=%d", ms, ms+120_000), "")
	want := `{"ranges":[[1795262400000,1795262410000],[1795262460000,1795262470000]],` +
		`"gaps":[{"fromMs":1795262410000,"toMs":1795262460000,"cause":"camera-offline","text":"The camera was not connected."}],` +
		`"events":[{"id":"e","type":"door","fromMs":1795262401000,"toMs":1795262402000,"text":"<open>"}],` +
		`"locks":[{"id":"l","fromMs":1795262401000,"toMs":1795262402000,"name":"burglary"}],` +
		`"pauses":[{"fromMs":1795262400000,"toMs":0,"by":"Ann"}]}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Error(diff)
	}
	empty := d.ask("owner", "GET", "/v1/recordings/back/timeline?from=1&to=2&rendition=sub", "").Body.String()
	if empty != `{"ranges":[],"gaps":[],"events":[],"locks":[],"pauses":[]}`+"\n" {
		t.Errorf("of nothing: %s", empty)
	}
}

func TestTimeline_ResolutionBoundsTheAnswer(t *testing.T) {
	day := recordings.Range{From: noon, To: noon.Add(24 * time.Hour)}
	for askedMs, want := range map[int64]time.Duration{
		0: 24 * time.Hour / defaultSteps, 1: 24 * time.Hour / maxTimelineSteps, 60_000: time.Minute, maxMillis: 24 * time.Hour,
	} {
		if got := resolution(day, askedMs); got != want {
			t.Errorf("%d: %v, want %v", askedMs, got, want)
		}
	}
	if got := resolution(always(), 0); got < 365*24*time.Hour {
		t.Errorf("of all time: %v", got)
	}
}

func TestTimeline_EveryCauseHasASentence(t *testing.T) {
	for _, c := range []recordings.Cause{
		recordings.CameraOffline, recordings.NotRecording, recordings.Crash, recordings.Paused, recordings.Schedule, recordings.NoEvent, recordings.FramesLost,
		recordings.AgentUnreachable, recordings.DiskFull, recordings.DiskFailed, recordings.DiskSlow, recordings.ClockStep, recordings.Damaged,
	} {
		if causeText(c) == causeText(recordings.Unknown) {
			t.Errorf("%s has none", c)
		}
	}
}

// segmentList is the answer to a list of segments.
type segmentList struct {
	Segments []struct {
		ID               string
		StartUs, EndUs   int64
		InitBytes, Bytes int64
		Open             bool
		Fragments        [][7]int64
	}
	More bool
}

func TestSegments_HaveWhatAPlayerNeedsToBegin(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.fill(t, front(noon), 300, 100, time.Second, nil)
	later := front(noon.Add(300 * time.Second))
	later.Generation = 2
	d.shelf.fill(t, later, 300, 100, time.Second, func(s *recordings.Segment) { s.Open = true })
	ms := millis(noon)
	// From the middle of the second GOP on into the next segment.
	got := get[segmentList](t, d, fmt.Sprintf("/v1/recordings/front/segments?from=%d&to=%d", ms+4500, ms+301_000))
	if len(got.Segments) != 2 || got.More {
		t.Fatalf("%+v", got)
	}
	first, second := got.Segments[0], got.Segments[1]
	if first.ID != "main.1795262400000000" || second.ID != "main.1795262700000000.g2" || first.Open || !second.Open || first.InitBytes != 600 || first.Bytes != seg.Bytes {
		t.Errorf("%+v", got)
	}
	if f := seg.Fragments[3]; first.Fragments[0] != [7]int64{int64(f.Start), 1_000_000, f.MediaStart, f.Offset, 100, 90, 1} || len(first.Fragments) != 297 {
		t.Errorf("it begins with %v", first.Fragments[0])
	}
	if len(second.Fragments) != 1 {
		t.Errorf("it ends with %v", second.Fragments)
	}
}

func TestSegments_AnAnswerIsBoundedAndGoesOn(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 20 { // 100 minutes, with a hole of a day before
		d.shelf.fill(t, front(noon.Add(24*time.Hour+time.Duration(i)*5*time.Minute)), 300, 10, time.Second, nil)
	}
	from, to, answers, fragments := noon, noon.Add(48*time.Hour), 0, make(map[int64]bool)
	for more := true; more; answers++ {
		got := get[segmentList](t, d, fmt.Sprintf("/v1/recordings/front/segments?from=%d&to=%d", millis(from), millis(to)))
		n := 0
		for _, s := range got.Segments {
			n += len(s.Fragments)
			for _, f := range s.Fragments {
				fragments[f[0]] = true
				from = recordings.Time(f[0] + f[1])
			}
		}
		if more = got.More; n == 0 || n > 900+2 { // a GOP of 3 that the time begins in
			t.Fatalf("%d fragments, more: %v", n, more)
		}
	}
	if answers != 7 || len(fragments) != 6000 {
		t.Errorf("%d answers with %d fragments", answers, len(fragments))
	}
}

func TestSegments_ManyShortOnesAreBoundedToo(t *testing.T) {
	d := newDesk(t, nil)
	const n = maxSegments + 100
	for i := range n {
		d.shelf.segs = append(d.shelf.segs, recordings.Segment{
			Ref: front(noon.Add(time.Duration(i) * 100 * time.Millisecond)), End: noon.Add(time.Duration(i+1) * 100 * time.Millisecond),
			Fragments: []recordings.Fragment{{Start: noon.Add(time.Duration(i) * 100 * time.Millisecond), Duration: 100 * time.Millisecond, Key: true}},
		})
	}
	got := get[segmentList](t, d, fmt.Sprintf("/v1/recordings/front/segments?from=%d&to=%d", millis(noon), millis(noon.Add(time.Hour))))
	if len(got.Segments) != maxSegments || !got.More {
		t.Errorf("%d segments, more: %v", len(got.Segments), got.More)
	}
}

func TestSegments_GenerationsMayOverlap(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 12 { // each begins while the one before still lasts
		ref := front(noon.Add(time.Duration(i) * 10 * time.Second))
		ref.Generation = i
		d.shelf.fill(t, ref, 60, 10, time.Second, nil)
	}
	got := get[segmentList](t, d, fmt.Sprintf("/v1/recordings/front/segments?from=%d&to=%d", millis(noon), millis(noon.Add(time.Hour))))
	if len(got.Segments) != 12 || got.More {
		t.Errorf("%d of 12 segments", len(got.Segments))
	}
}

func TestLibrary_ItsErrorsAreToldApart(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.fill(t, front(noon), 3, 100, time.Second, nil)
	for _, tt := range []struct {
		err          error
		status       int
		code, method string
		path, body   string
	}{
		{fs.ErrNotExist, 404, "not_found", "GET", "/v1/recordings/front/timeline?from=1&to=2", ""},
		{errors.New("secret detail"), 500, "internal", "GET", "/v1/recordings/front/timeline?from=1&to=2", ""},
		{&fs.PathError{Op: "read", Path: "/secret", Err: errors.New("EIO")}, 500, "disk", "GET", "/v1/recordings/front/keyframes?from=1&to=2", ""},
		{&fs.PathError{Op: "write", Path: "/secret", Err: errors.New("EIO")}, 507, "not_written", "PUT", "/v1/recordings/front/pause", `{"untilMs":0}`},
		{errors.New("secret detail"), 507, "not_written", "POST", "/v1/events", `{"camera":"front","type":"door","text":"","atMs":0,"durationMs":0}`},
	} {
		d.shelf.broken = tt.err
		w := d.ask("owner", tt.method, tt.path, tt.body)
		if code, message := errorOf(t, w); w.Code != tt.status || code != tt.code || strings.Contains(message, "secret") {
			t.Errorf("%v: %d %s", tt.err, w.Code, w.Body)
		}
	}
	if n := len(d.kinds()); n != 0 {
		t.Errorf("%d changes are in the access log that were not made", n)
	}
	if w := d.ask("owner", http.MethodGet, "/v1/recordings/front/keyframes?from=1&to=2", ""); w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("an error may be kept: %v", w.Header())
	}
}
