package playback

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestQuery_MistakesAreNamed(t *testing.T) {
	d := newDesk(t, nil)
	const camera = "/v1/recordings/front"
	for path, want := range map[string]string{
		"/timeline":                                            "from is missing",
		"/timeline?from=1":                                     "to is missing",
		"/timeline?from=1&to=2&frm=3":                          `no parameter "frm"`,
		"/timeline?from=1&from=2&to=3":                         "more than once",
		"/timeline?from=2&to=2":                                "later than the beginning",
		"/timeline?from=2&to=1":                                "later than the beginning",
		"/timeline?from=-1&to=1":                               `from is "-1"`,
		"/timeline?from=1e3&to=2000":                           `from is "1e3"`,
		"/timeline?from=0x1&to=2":                              `from is "0x1"`,
		"/timeline?from=01&to=2":                               `from is "01"`,
		"/timeline?from=&to=2":                                 `from is ""`,
		"/timeline?from=1&to=99999999999999999999":             "to is",
		"/timeline?from=1&to=2&rendition=big":                  "main or sub",
		"/timeline?from=1&to=2&resolution=-5":                  "resolution is",
		"/timeline?from=1&to=2;rendition=sub":                  "cannot be read",
		"/timeline?from=%zz&to=2":                              "cannot be read",
		"/timeline?from=1&to=" + strings.Repeat("9", 2000):     "too long",
		"/days?from=2026-11-01":                                "to must be a day",
		"/days?from=2026-11-01&to=2026-13-01":                  "to must be a day",
		"/days?from=2026-11-02&to=2026-11-01":                  "1 to 400 days",
		"/days?from=2020-01-01&to=2026-11-01":                  "1 to 400 days",
		"/days?from=2026-11-01&to=2026-11-02&zone=Mars/Base":   "time zone",
		"/days?from=2026-11-01&to=2026-11-02&zone=../etc/x":    "time zone",
		"/days?from=2026-11-01&to=2026-11-02&zone=Local":       "time zone",
		"/days?from=2026-11-01&to=2026-11-02&zone=/etc/passwd": "time zone",
		"/keyframes?from=1&to=2&max=0":                         "from 1 to 5000",
		"/keyframes?from=1&to=2&max=100000":                    "from 1 to 5000",
		"/events?from=1&to=2&limit=5000":                       "from 1 to 1000",
		"/events?from=1&to=2&type=A":                           "type is",
		"/export.mp4?from=1&to=2&gaps=maybe":                   "skip or keep",
		"/export.mp4?from=1&to=2&sound=2":                      "1 or 0",
		"/export.mp4?from=0&to=86400001":                       "24 hours",
		"/segments/main.1?download=2":                          "0 or 1",
		"/segments/main.x":                                     "list of segments",
		"/fragment?rendition=main":                             "at is missing",
	} {
		w := d.ask("playback", "GET", camera+path, "")
		if _, message := errorOf(t, w); w.Code != http.StatusBadRequest || !strings.Contains(message, want) {
			t.Errorf("%.80s: %d %s", path, w.Code, message)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, raw := range []string{
		"from=1&to=2", "from=1763740800000&to=1763740900000&rendition=sub&resolution=1000&max=5", "zone=Europe/Berlin&from=2026-11-01&to=2026-11-30", "from=1&from=2", "a;b", "%", "at=",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: "/", RawQuery: raw}
		q := parseQuery(r, "from", "to", "rendition", "resolution", "max", "zone")
		span, stream := q.span(0, ""), q.stream("front")
		most, asked := q.number("max", 10, 1, 100), q.number("resolution", 0, 0, maxMillis)
		if q.err != nil {
			if !utf8.ValidString(q.err.Message) || len(q.err.Message) > 400 {
				t.Errorf("%q", q.err.Message)
			}
			return
		}
		if span.Empty() || span.From < 0 || span.To > maxMicros || most < 1 || most > 100 || stream.Rendition != "main" && stream.Rendition != "sub" {
			t.Errorf("%q is %v, %d, %v", raw, span, most, stream)
		}
		if res := resolution(span, asked); res < 0 || res.Microseconds() > int64(span.To-span.From) {
			t.Errorf("%q: resolution %v", raw, res)
		}
	})
}
