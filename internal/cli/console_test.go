package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/accesslog"
)

const publisher = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// fakeAgent is the console of an agent that answers as it is told.
type fakeAgent struct {
	dir    string
	asked  []string          // method, path and body of each request
	answer map[string]string // by method and path
	status int
}

func newFakeAgent(t *testing.T, answers map[string]string) *fakeAgent {
	t.Helper()
	dir, err := os.MkdirTemp("", "sl-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a := &fakeAgent{dir: dir, answer: answers, status: http.StatusOK}
	l, err := net.Listen("unix", filepath.Join(dir, ConsoleSocket))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: a}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return a
}

func (a *fakeAgent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if len(body) > 0 && r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	a.asked = append(a.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	answer, ok := a.answer[r.Method+" "+r.URL.RequestURI()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, answer)
}

// said runs a command whose stdout is no terminal.
func said(t *testing.T, run func(context.Context, *Process) error) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), &Process{Name: "sightline", Stdout: &out, Stderr: io.Discard})
	return out.String(), err
}

func TestPair_PipedPrintsTheLinkAlone(t *testing.T) {
	a := newFakeAgent(t, map[string]string{
		"POST /v1/console/pair": `{"peer":"` + publisher + `","page":"https://192.0.2.7:8788","secret":"c2VjcmV0","expires":"2026-11-21T12:00:00Z"}`,
	})
	out, err := said(t, (&Pair{StateDir: a.dir, Reset: true}).Run)
	if want := "https://192.0.2.7:8788/#peer=" + publisher + "&pair=c2VjcmV0\n"; err != nil || out != want {
		t.Errorf("%q %v", out, err)
	}
	if d := cmp.Diff([]string{`POST /v1/console/pair {"reset":true}`}, a.asked); d != "" {
		t.Error(d)
	}
}

func TestPair_SaysWhatIsMissing(t *testing.T) {
	a := newFakeAgent(t, map[string]string{"POST /v1/console/pair": `{"peer":"p","page":"","secret":"c2VjcmV0","expires":"2026-11-21T12:00:00Z"}`})
	out, err := said(t, (&Pair{StateDir: a.dir}).Run)
	if !errors.Is(err, errNoPage) || strings.Contains(out+err.Error(), "c2VjcmV0") {
		t.Errorf("%q %v", out, err)
	}
	a.status, a.answer["POST /v1/console/pair"] = http.StatusConflict, `{"error":{"code":"owned","message":"Anna\u001b[2J owns this device."}}`
	if _, err = said(t, (&Pair{StateDir: a.dir}).Run); err == nil || err.Error() != "Anna?[2J owns this device." {
		t.Errorf("%v", err)
	}
	a.answer["POST /v1/console/pair"] = "<html>"
	if _, err = said(t, (&Pair{StateDir: a.dir}).Run); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("%v", err)
	}
	if _, err = said(t, (&Pair{StateDir: t.TempDir()}).Run); err == nil || !strings.Contains(err.Error(), "no agent runs") {
		t.Errorf("%v", err)
	}
}

func TestGrant_AsksForWhatTheFlagsSay(t *testing.T) {
	tests := map[string]struct {
		grant Grant
		want  string
	}{
		"least": {Grant{Name: "Bob"}, `{"name":"Bob","rights":["live"],"cameras":["` + publisher + `/*"],"expires":0,"pass":false}`},
		"all": {
			Grant{Name: "Bob", Right: []string{"live,ptz", "live"}, Camera: []string{"front", "yard"}, For: "30d", Pass: true},
			`{"name":"Bob","rights":["live","ptz"],"cameras":["` + publisher + `/front","` + publisher + `/yard"],"expires":2592000,"pass":true}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := newFakeAgent(t, map[string]string{
				"GET /v1/access":           `{"publisher":"` + publisher + `"}`,
				"POST /v1/console/invites": `{"peer":"` + publisher + `","page":"https://h","invite":"anRp.c2VjcmV0","expires":"2026-11-28T12:00:00Z"}`,
			})
			tt.grant.StateDir = a.dir
			out, err := said(t, tt.grant.Run)
			if want := "https://h/#peer=" + publisher + "&invite=anRp.c2VjcmV0\n"; err != nil || out != want {
				t.Errorf("%q %v", out, err)
			}
			if d := cmp.Diff([]string{"GET /v1/access", "POST /v1/console/invites " + tt.want}, a.asked); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParsePeriod(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "90m": 90 * time.Minute, "12h": 12 * time.Hour, "30d": 720 * time.Hour, "2w": 336 * time.Hour} {
		if got, err := parsePeriod(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"30", "d", "0d", "-1d", "1.5h", "51000w", "99999999999999999999d", "1y", "30 d"} {
		if got, err := parsePeriod(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestToken_PrintsAddressAndToken(t *testing.T) {
	a := newFakeAgent(t, map[string]string{"POST /v1/whep-tokens": `{"token":"dG9rZW4","url":"https://h:8788/whep/front","expires":"2026-11-21T12:10:00Z"}`})
	out, err := said(t, (&Token{StateDir: a.dir, Camera: "front"}).Run)
	if err != nil || out != "URL: https://h:8788/whep/front\nToken: dG9rZW4\n" {
		t.Errorf("%q %v", out, err)
	}
	if d := cmp.Diff([]string{`POST /v1/whep-tokens {"camera":"front"}`}, a.asked); d != "" {
		t.Error(d)
	}
}

func TestAccessList_SaysWhoMayDoWhat(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	at := now.Add(48 * time.Hour).Unix()
	state := fmt.Sprintf(`{"publisher":%q,"conflict":true,
		"owners":[{"id":"o1","name":"Anna","device":"phone"}],
		"pending":[{"id":"o2","name":"Carl","device":""}],
		"grants":[{"jti":"g1","peer":"p1","name":"Bob\u202e","device":"laptop","rights":["live","ptz"],"cameras":["%[1]s/front","%[1]s/*","x/y"],"pass":true,"expires":%[2]d,"lastSeen":"%[3]s"},
			{"jti":"g2","peer":"p2","rights":["live"],"cameras":["*"],"expires":0,"revoked":true},
			{"jti":"g3","peer":"p3","name":"Dora","rights":["live"],"cameras":["*"],"expires":1}],
		"invites":[{"jti":"i1","name":"Eve","rights":["live"],"cameras":["%[1]s/*"],"expires":%[2]d}],
		"revokedHere":[{"kind":"peer","id":"p9"}]}`, publisher, at, now.Format(time.RFC3339))
	var s accessState
	if err := json.Unmarshal([]byte(state), &s); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(describeAccess(s, now, "sightline"), "\n") + "\n"
	want := `Owners:
  Anna (phone) · o1
  Carl · not on the list of the other owners yet · o2
Guests:
  Bob? (laptop) · live, ptz, may pass it on · front, all cameras here, x/y · until 2026-11-23 12:00 · seen 2026-11-21 12:00 · g1
  p2 · live · all cameras of the home · revoked · never seen · g2
  Dora · live · all cameras of the home · expired ` + localTime(1) + ` · never seen · g3
Invites that wait:
  Eve · live · all cameras here · to be opened before 2026-11-23 12:00 · i1
Revoked on this device only:
  p9
Two owners have changed the list without seeing each other's change. What either took away stays away until one of them opens the camera's page.
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if lines := describeAccess(accessState{}, now, "sightline-camera"); !slices.Equal(lines, []string{"There is no owner yet; run sightline-camera pair."}) {
		t.Errorf("%q", lines)
	}
}

func TestAccessList_JSONIsTheAgentsOwn(t *testing.T) {
	a := newFakeAgent(t, map[string]string{"GET /v1/access": `{"something":"new"}`})
	if out, err := said(t, (&AccessList{StateDir: a.dir, JSON: true}).Run); err != nil || out != `{"something":"new"}`+"\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestAccessRevoke_TellsWhereItCounts(t *testing.T) {
	a := newFakeAgent(t, map[string]string{"POST /v1/console/revoke": `{}`})
	out, err := said(t, (&AccessRevoke{StateDir: a.dir, Who: "Bob"}).Run)
	if err != nil || !strings.Contains(out, "Bob has no access to this device any more.") || !slices.Equal(a.asked, []string{`POST /v1/console/revoke {"id":"Bob"}`}) {
		t.Errorf("%q %v %q", out, err, a.asked)
	}
	if _, err := said(t, (&AccessRevoke{StateDir: a.dir}).Run); err == nil {
		t.Error("nobody was revoked")
	}
}

// chain returns log lines as they are kept, from a real log.
func chain(t *testing.T, n int) []string {
	t.Helper()
	l, err := accesslog.Open("", accesslog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range n {
		l.Add(accesslog.Entry{Kind: accesslog.Came, Name: fmt.Sprint("guest ", i), What: "front\u001b", From: "192.0.2.1"})
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lines, _, err := l.Read(0, n)
	if err != nil || len(lines) != n {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	return lines
}

// logAgent serves lines in pages of two.
func logAgent(t *testing.T, lines []string, head accesslog.Head) *fakeAgent {
	t.Helper()
	a := newFakeAgent(t, map[string]string{})
	at := int64(0)
	for page := range slices.Chunk(append(slices.Clone(lines), ""), 2) {
		last := at
		if page[len(page)-1] == "" {
			page = page[:len(page)-1]
		}
		for _, line := range page {
			e, err := logEntry(line)
			if err != nil {
				t.Fatal(err)
			}
			at = e.Seq
		}
		for _, from := range []int64{last, at} {
			text, _ := json.Marshal(logAnswer{Lines: []string{}, Head: head})
			if from == last && len(page) > 0 {
				text, _ = json.Marshal(logAnswer{Lines: page, Head: head})
			}
			a.answer[fmt.Sprintf("GET /v1/access/log?after=%d&limit=500", from)] = string(text)
		}
	}
	return a
}

func TestAccessLog_PrintsEveryLine(t *testing.T) {
	lines := chain(t, 5)
	head, err := accesslog.Verify(lines, accesslog.Head{})
	if err != nil {
		t.Fatal(err)
	}
	a := logAgent(t, lines, head)
	out, err := said(t, (&AccessLog{StateDir: a.dir}).Run)
	if err != nil || strings.Count(out, "\n") != 5 || !regexp.MustCompile(`(?m)^\S+ \S+  came  guest 4  front\?  192.0.2.1$`).MatchString(out) {
		t.Errorf("%s %v", out, err)
	}
	if out, err = said(t, (&AccessLog{StateDir: a.dir, JSON: true}).Run); err != nil || out != strings.Join(lines, "\n")+"\n" {
		t.Errorf("%s %v", out, err)
	}
	if out, err = said(t, (&AccessLog{StateDir: a.dir, Verify: true}).Run); err != nil || out != fmt.Sprintf("The log is whole: line 5, %s\n", head.Hash) {
		t.Errorf("%s %v", out, err)
	}
}

func TestAccessLog_VerifyFindsWhatWasChanged(t *testing.T) {
	lines := chain(t, 6)
	head, err := accesslog.Verify(lines, accesslog.Head{})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		lines []string
		want  string
	}{
		"the oldest dropped": {lines[2:], ""},
		"changed":            {slices.Concat(lines[:3], []string{strings.Replace(lines[3], "guest 3", "nobody", 1)}, lines[4:]), "not what it was"},
		"taken out":          {slices.Concat(lines[:3], lines[4:]), "not what it was"},
		"cut off":            {lines[:4], "lines were cut off"},
	}
	for name, tt := range tests {
		a := logAgent(t, tt.lines, head)
		out, err := said(t, (&AccessLog{StateDir: a.dir, Verify: true}).Run)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %s %v", name, out, err)
		}
	}
}

func TestGrant_WarnsWhenTheDevicesClockIsWrong(t *testing.T) {
	for expires, want := range map[string]bool{"1970-01-08T00:02:00Z": true, "2026-11-28T12:00:00Z": false} {
		a := newFakeAgent(t, map[string]string{
			"GET /v1/access":           `{"publisher":"` + publisher + `"}`,
			"POST /v1/console/invites": `{"peer":"` + publisher + `","page":"https://h","invite":"anRp.c2VjcmV0","expires":"` + expires + `"}`,
		})
		var out, complaints bytes.Buffer
		p := &Process{Name: "sightline", Stdout: &out, Stderr: &complaints}
		if err := (&Grant{Name: "Bob", StateDir: a.dir}).Run(t.Context(), p); err != nil || !strings.Contains(out.String(), "invite=anRp") {
			t.Errorf("%s: %v, %s", expires, err, out.String())
		}
		if got := strings.Contains(complaints.String(), "clock"); got != want {
			t.Errorf("%s: %q", expires, complaints.String())
		}
	}
}
