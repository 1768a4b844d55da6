package agent

import (
	"bufio"
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/signaling"
)

func TestRights_OffersGetTheTracksThatTheirViewerMayWatch(t *testing.T) {
	a, fake, f := newClosedAgent(t, nil)
	owner := pairOwner(t, a)
	media := func(cameras ...string) (out []signaling.Media) {
		for i, c := range cameras {
			out = append(out, signaling.Media{MID: string(rune('0' + i)), Camera: c})
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		grants []access.Right
		on     []string
		media  []signaling.Media
		code   signaling.RejectCode // "" is an answer
	}{
		{"its camera", []access.Right{access.Live}, []string{"front"}, media("front"), ""},
		{"the first that it may watch", []access.Right{access.Live}, []string{"off"}, media(""), ""},
		{"no camera yet", []access.Right{access.Live}, []string{"off"}, nil, ""},
		{"another camera", []access.Right{access.Live}, []string{"front"}, media("front", "off"), signaling.RejectForbidden},
		{"one that is not there", []access.Right{access.Live}, []string{"front"}, media("nobody"), signaling.RejectForbidden},
		{"another right", []access.Right{access.Events}, []string{"front"}, media("front"), signaling.RejectForbidden},
		{"another right, any camera", []access.Right{access.Events}, []string{"front"}, media(""), signaling.RejectForbidden},
		{"no grant", nil, nil, media("front"), signaling.RejectForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			guest := newIdentity(t)
			r := signaling.Request{Media: tt.media}
			if tt.grants != nil {
				_, g := grantOf(t, a, owner, guest.PeerID(), time.Time{}, tt.grants, tt.on...)
				r.Grants = []string{g}
			}
			_, m := offer(t, a, f, guest, r)
			if got := rejectCode(m); m == nil || got != tt.code {
				t.Errorf("answered by %+v, want %q", m, tt.code)
			}
		})
	}
	if len(fake.picked) != 4 { // video and sound, twice
		t.Errorf("picked %v", fake.picked)
	}
	if refusals(a, check.Right) != 4 || refusals(a, check.Allowed) != 1 {
		t.Errorf("refusals counted: %v", a.metrics.refusals)
	}
}

func TestRights_FilterWhatIsListedAndAskedFor(t *testing.T) {
	a, _, _ := newClosedAgent(t, nil)
	owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
	_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front")
	_, g2 := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Events, access.PTZ}, "off")
	h, s := a.handler(overChannel), newSession(t, a, guest, g, g2)
	var list struct{ Cameras []struct{ ID string } }
	decode(t, serve(h, overSession(request("GET", "/v1/cameras", ""), s)), &list)
	if len(list.Cameras) != 2 || list.Cameras[0].ID != "front" || list.Cameras[1].ID != "off" {
		t.Errorf("cameras %+v", list)
	}
	var me struct {
		Peer, Role, Name, Home string
		Rights                 map[string][]string
		Admin, Pass            bool
		Clock                  struct{ Believable bool }
	}
	decode(t, serve(h, overSession(request("GET", "/v1/me", ""), s)), &me)
	if d := cmp.Diff(map[string][]string{"front": {"live"}, "off": {"ptz", "events"}}, me.Rights); d != "" || me.Admin || me.Pass || me.Role != "guest" || !me.Clock.Believable {
		t.Errorf("me %+v: %s", me, d)
	}
	for body, want := range map[string]int{
		`{"sdp":"v=0","media":[{"mid":"0","camera":"front"}]}`:                            200,
		`{"sdp":"v=0","media":[{"mid":"0","camera":"off"}]}`:                              403,
		`{"sdp":"v=0","media":[{"mid":"0","camera":"front"},{"mid":"1","camera":"off"}]}`: 403,
		`{"sdp":"v=0","media":[{"mid":"0","camera":""}]}`:                                 200,
	} {
		w := serve(h, overSession(request("POST", "/v1/session/offer", body, "Content-Type", "application/json"), s))
		if w.Code != want {
			t.Errorf("%s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
	for _, path := range []string{"/v1/access", "/v1/access/log"} {
		if w := serve(h, overSession(request("GET", path, ""), s)); w.Code != 403 || errorCode(t, w) != "forbidden" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestRights_EventsTellOfVisibleCamerasOnly(t *testing.T) {
	a, _, _ := newClosedAgent(t, nil)
	owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
	_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "off")
	s := newSession(t, a, guest, g)
	ctx, cancel := context.WithCancel(t.Context())
	r := overSession(request("GET", "/v1/events", ""), s)
	r = r.WithContext(context.WithValue(ctx, sessionContextKey{}, s))
	w := &streamRecorder{ResponseRecorder: httptest.NewRecorder(), flushed: make(chan struct{}, 16)}
	done := make(chan struct{})
	go func() { defer close(done); a.handler(overChannel).ServeHTTP(w, r) }()
	<-w.flushed
	cancel()
	<-done
	lines := bufio.NewScanner(strings.NewReader(w.Body.String()))
	if v := nextEvent(t, lines); v.ID != "off" {
		t.Errorf("got %q", v.ID)
	}
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			t.Errorf("more: %s", lines.Text())
		}
	}
}

// streamRecorder tells of each flush, and takes deadlines.
type streamRecorder struct {
	*httptest.ResponseRecorder
	flushed chan struct{}
}

func (w *streamRecorder) FlushError() error                { w.flushed <- struct{}{}; return nil }
func (w *streamRecorder) SetReadDeadline(time.Time) error  { return nil }
func (w *streamRecorder) SetWriteDeadline(time.Time) error { return nil }

func TestReceive_StrangersAreHeardLittleAndKeepNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no time passes
		may2026()
		a, _, f := newClosedAgent(t, nil)
		owner := pairOwner(t, a)
		stranger := newIdentity(t)
		answered := 0
		for range 5 * strangersBurst {
			a.receive(t.Context(), stranger.PeerID(), "not even sealed")
			if _, m := offer(t, a, f, stranger, signaling.Request{}); m != nil {
				answered++
			}
		}
		if n := int(refusals(a, check.Rate)); n != 9*strangersBurst {
			t.Errorf("%d messages were dropped unread", n)
		}
		if answered > strangersBurst {
			t.Errorf("%d strangers answered", answered)
		}
		if refusals(a, check.Sealed) == 0 {
			t.Errorf("what is not sealed is not counted: %v", a.metrics.refusals)
		}
		if _, m := offer(t, a, f, owner, signaling.Request{}); rejectCode(m) != "" || m == nil {
			t.Errorf("the owner is answered by %+v", m)
		}
	})
}

func TestReceive_OneKnownPeersFloodIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no time passes
		may2026()
		a, _, f := newClosedAgent(t, nil)
		owner, guest := pairOwner(t, a), newIdentity(t)
		_, g := grantOf(t, a, owner, guest.PeerID(), time.Time{}, []access.Right{access.Live}, "front")
		offer(t, a, f, guest, signaling.Request{Grants: []string{g}}) // now it is known
		answered := 1
		for range offersBurst + 10 {
			if _, m := offer(t, a, f, guest, signaling.Request{Grants: []string{g}}); m != nil {
				answered++
			}
		}
		if answered < offersBurst || answered > offersBurst+1 {
			t.Errorf("%d offers answered", answered)
		}
		for range 3 * messagesBurst {
			a.receive(t.Context(), guest.PeerID(), "x")
		}
		if n := refusals(a, check.Rate); n < messagesBurst {
			t.Errorf("%d dropped unread", n)
		}
		if _, m := offer(t, a, f, owner, signaling.Request{}); rejectCode(m) != "" || m == nil {
			t.Errorf("the owner is answered by %+v", m)
		}
	})
}

func TestMetrics_NameChecksAndClaims(t *testing.T) {
	a, _, f := newClosedAgent(t, nil)
	startPairing(t, a)
	h := openClaim(t, a, f, newIdentity(t), signaling.ClaimPair)
	claim(t, a, h, access.ClaimPair, "", make([]byte, access.TokenSize))
	offer(t, a, f, newIdentity(t), signaling.Request{})
	r := request("GET", "/v1/cameras", "")
	r.Host = "evil.example"
	serve(a.ownRoutes, r)
	serve(a.ownRoutes, request("GET", "/v1/cameras", "", "Origin", "https://evil.example"))
	text := serve(a.ownRoutes, request("GET", "/metrics", "")).Body.String()
	for _, want := range []string{
		`sightline_refused_total{check="allowed"} 1`, `sightline_refused_total{check="proof"} 1`,
		`sightline_refused_total{check="host"} 1`, `sightline_refused_total{check="origin"} 1`,
		`sightline_claims_total{kind="pair",result="wrong_proof"} 1`, `sightline_sessions{via="claim"} 1`,
	} {
		if !slices.Contains(strings.Split(text, "\n"), want) {
			t.Errorf("no line %s in\n%s", want, text)
		}
	}
}
