package playback

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
)

// call is a request to a route that is right but for who makes it.
type call struct {
	method, path, body string
	right              access.Right // that it needs on front
	status             int          // for whoever has it
}

// calls has one for each method of each route.
func calls(d *desk, t testing.TB) map[string]call {
	seg := d.shelf.fill(t, front(noon), 9, 1000, time.Second, nil)
	ms := millis(noon)
	span := fmt.Sprintf("from=%d&to=%d", ms, ms+5000)
	times := fmt.Sprintf(`"fromMs":%d,"toMs":%d`, ms, ms+5000)
	const camera = "/v1/recordings/front"
	w := d.ask("owner", "POST", camera+"/locks", `{`+times+`,"name":"x"}`)
	lock := w.Body.String()[len(`{"id":"`) : len(w.Body.String())-len("\"}\n")]
	all := map[string]call{
		"POST /v1/events":                                    {"POST", "/v1/events", `{"camera":"front","type":"door","text":"","atMs":0,"durationMs":0}`, access.Admin, 201},
		"GET /v1/recordings/{camera}/days":                   {"GET", camera + "/days?from=2026-11-01&to=2026-11-30", "", access.Playback, 200},
		"GET /v1/recordings/{camera}/timeline":               {"GET", camera + "/timeline?" + span, "", access.Playback, 200},
		"GET /v1/recordings/{camera}/segments":               {"GET", camera + "/segments?" + span, "", access.Playback, 200},
		"GET /v1/recordings/{camera}/segments/{id}":          {"GET", camera + "/segments/" + segmentID(seg.Ref), "", access.Playback, 200},
		"GET /v1/recordings/{camera}/segments/{id}/init.mp4": {"GET", camera + "/segments/" + segmentID(seg.Ref) + "/init.mp4", "", access.Playback, 200},
		"GET /v1/recordings/{camera}/fragment":               {"GET", camera + fmt.Sprintf("/fragment?at=%d", ms), "", access.Playback, 200},
		"GET /v1/recordings/{camera}/keyframes":              {"GET", camera + "/keyframes?" + span, "", access.Playback, 200},
		"GET /v1/recordings/{camera}/keyframe":               {"GET", camera + fmt.Sprintf("/keyframe?at=%d", ms), "", access.Playback, 500}, // random bytes
		"GET /v1/recordings/{camera}/export.mp4":             {"GET", camera + "/export.mp4?" + span, "", access.Playback, 500},
		"GET /v1/recordings/{camera}/events":                 {"GET", camera + "/events?" + span, "", access.Playback, 200},
		"POST /v1/recordings/{camera}/locks":                 {"POST", camera + "/locks", `{` + times + `,"name":"x"}`, access.Admin, 201},
		"DELETE /v1/recordings/{camera}/locks/{id}":          {"DELETE", camera + "/locks/" + lock, "", access.Admin, 204},
		"PUT /v1/recordings/{camera}/pause":                  {"PUT", camera + "/pause", `{"untilMs":0}`, access.Admin, 204},
		"DELETE /v1/recordings/{camera}/pause":               {"DELETE", camera + "/pause", "", access.Admin, 204},
		"POST /v1/recordings/{camera}/hls":                   {"POST", camera + "/hls", `{` + times + `,"rendition":"main"}`, access.Playback, 201},
	}
	for name, c := range all {
		if head := "HEAD" + strings.TrimPrefix(name, "GET"); c.method == "GET" {
			for _, rt := range d.Routes() {
				if _, ok := rt.Methods["HEAD"]; ok && "HEAD "+rt.Pattern == head {
					c.method = "HEAD"
					all[head] = c
				}
			}
		}
	}
	return all
}

func TestRights_EveryRouteAnswersThoseWithItsRightOnly(t *testing.T) {
	d := newDesk(t, nil)
	all := calls(d, t)
	for _, rt := range d.Routes() {
		for method := range rt.Methods {
			name := method + " " + rt.Pattern
			if rt.Pattern == "/v1/recordings" || strings.HasPrefix(rt.Pattern, "/hls/") {
				continue // have tests of their own
			}
			c, ok := all[name]
			if !ok {
				t.Errorf("no test calls %s", name)
				continue
			}
			// Those without it first, so that what is changed is there for the others.
			for _, who := range []string{"", "live", "talk", "ptz", "events", "all of back", "playback", "admin", "console", "owner"} {
				want := http.StatusForbidden
				switch who {
				case "":
					want = http.StatusUnauthorized
				case "owner", "console", string(c.right):
					want = c.status
				}
				if c.method == "DELETE" && strings.Contains(c.path, "/locks/") && want == 204 && who != "admin" {
					want = 404 // it is gone since
				}
				w := d.ask(who, c.method, c.path, c.body)
				if w.Code != want {
					t.Errorf("%s as %q: %d, want %d: %s", name, who, w.Code, want, w.Body)
				}
				if want == http.StatusForbidden && c.method != "HEAD" {
					if code, _ := errorOf(t, w); code != "forbidden" {
						t.Errorf("%s as %q: %s", name, who, w.Body)
					}
				}
			}
		}
	}
}

func TestRights_WhoHasNoneDoesNotLearnWhatThereIs(t *testing.T) {
	d := newDesk(t, nil)
	for _, path := range []string{"/timeline?from=1&to=2", "/segments/main.1", "/timeline?nonsense"} {
		known, unknown := d.ask("live", "GET", "/v1/recordings/front"+path, ""), d.ask("live", "GET", "/v1/recordings/nobody"+path, "")
		if known.Code != 403 || known.Body.String() != unknown.Body.String() {
			t.Errorf("%s: %s and %s", path, known.Body, unknown.Body)
		}
	}
	if w := d.ask("owner", "GET", "/v1/recordings/nobody/timeline?from=1&to=2", ""); w.Code != 404 {
		t.Errorf("the owner asks for a camera that is not there: %d %s", w.Code, w.Body)
	}
}

func TestRights_TheOverviewHasVisibleCamerasOnly(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.fill(t, front(noon), 3, 100, time.Second, nil)
	gone := front(noon)
	gone.Camera = "gone"
	d.shelf.fill(t, gone, 3, 100, time.Second, nil)
	for who, want := range map[string]string{
		"owner": "front back gone", "console": "front back gone", "playback": "front", "live": "", "admin": "", "all of back": "back",
	} {
		w := d.ask(who, "GET", "/v1/recordings", "")
		var ids []string
		for part := range strings.SplitSeq(w.Body.String(), `{"id":"`) {
			if id, _, ok := strings.Cut(part, `","name"`); ok && !strings.Contains(id, "{") {
				ids = append(ids, id)
			}
		}
		if got := strings.Join(ids, " "); w.Code != 200 || got != want {
			t.Errorf("%s: %d %q, want %q", who, w.Code, got, want)
		}
		paths := who == "owner" || who == "console" || who == "admin" || who == "all of back"
		if strings.Contains(w.Body.String(), "/mnt/") != paths {
			t.Errorf("%s: paths of disks: %s", who, w.Body)
		}
	}
}
