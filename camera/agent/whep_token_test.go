package agent

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
)

// tokenFor asks for a player's token over a session.
func tokenFor(t *testing.T, a *Agent, s *session, camera string) string {
	t.Helper()
	r := request("POST", "/v1/whep-tokens", `{"camera":"`+camera+`"}`, "Content-Type", "application/json")
	w := serve(a.handler(overChannel), overSession(r, s))
	var got struct{ Token, URL, Expires string }
	decode(t, w, &got)
	if w.Code != 201 || got.URL != "/whep/"+camera || len(got.Token) != whepTokenTextLen {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return got.Token
}

func TestWHEPToken_OpensSessionsOfOneCameraForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		may2026()
		a, fake, _ := newClosedAgent(t, nil)
		ann, bob := pairOwner(t, a), newIdentity(t).PeerID()
		owner := newSession(t, a, ann.PeerID())
		token := tokenFor(t, a, owner, "front")
		post := func(path, auth string) int {
			header := []string{"Content-Type", typeSDP}
			if auth != "" {
				header = append(header, "Authorization", auth)
			}
			w := serve(a.ownRoutes, request("POST", path, testOffer("video H264"), header...))
			if w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), `Bearer realm="sightline"`) {
				t.Errorf("no challenge: %v", w.Header())
			}
			return w.Code
		}
		for _, tt := range []struct {
			name, path, auth string
			status           int
		}{
			{"the token", "/whep/front", "Bearer " + token, 201},
			{"another spelling", "/whep/front", "bearer  " + token, 201},
			{"no token", "/whep/front", "", 401},
			{"a wrong token", "/whep/front", "Bearer " + strings.Repeat("A", whepTokenTextLen), 401},
			{"a short token", "/whep/front", "Bearer x", 401},
			{"another scheme", "/whep/front", "Basic " + token, 401},
			{"another camera", "/whep/off", "Bearer " + token, 403},
		} {
			if got := post(tt.path, tt.auth); got != tt.status {
				t.Errorf("%s: %d, want %d", tt.name, got, tt.status)
			}
		}
		w := serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", typeSDP, "Authorization", "Bearer "+token))
		path, etag := w.Header().Get("Location"), w.Header().Get("ETag")
		patch := func(auth string) int {
			return serve(a.ownRoutes, request("PATCH", path, testFragment(testCandidate), "Content-Type", typeFragment, "If-Match", etag, "Authorization", auth)).Code
		}
		again := tokenFor(t, a, owner, "front")
		_, g := grantOf(t, a, ann, bob, time.Time{}, []access.Right{access.Live}, "front")
		others := tokenFor(t, a, newSession(t, a, bob, g), "front")
		if got := patch("Bearer " + token); got != 204 {
			t.Errorf("PATCH: %d", got)
		}
		if got := patch("Bearer " + again); got != 204 {
			t.Errorf("PATCH with the holder's other token: %d", got)
		}
		if got := patch("Bearer " + others); got != 404 {
			t.Errorf("PATCH with somebody else's token: %d", got)
		}
		if got := patch(""); got != 401 {
			t.Errorf("PATCH without a token: %d", got)
		}
		time.Sleep(whepTokenLife) //nolint:forbidigo // virtual time
		if got := post("/whep/front", "Bearer "+token); got != 401 {
			t.Errorf("after ten minutes: %d", got)
		}
		if fake.session(0).ended() {
			t.Error("the session ended with its token")
		}
		if got := patch("Bearer " + token); got != 204 {
			t.Errorf("PATCH of the session that it opened: %d", got)
		}
		if w := serve(a.ownRoutes, request("DELETE", path, "", "Authorization", "Bearer "+token)); w.Code != 200 {
			t.Errorf("DELETE: %d", w.Code)
		}
	})
}

func TestWHEPToken_IsForThoseWhoMayWatch(t *testing.T) {
	a, _, _ := newClosedAgent(t, nil)
	owner, guest := pairOwner(t, a), newIdentity(t).PeerID()
	_, g := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front")
	_, g2 := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Events}, "off")
	s := newSession(t, a, guest, g, g2)
	for body, want := range map[string]int{
		`{"camera":"front"}`: 201, `{"camera":"off"}`: 403, `{"camera":"hevc"}`: 403, `{"camera":"nobody"}`: 403, `{"camera":""}`: 400, `{}`: 400, `{"x":1}`: 400,
	} {
		r := request("POST", "/v1/whep-tokens", body, "Content-Type", "application/json")
		if w := serve(a.handler(overChannel), overSession(r, s)); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
	r := request("POST", "/v1/whep-tokens", `{"camera":"nobody"}`, "Content-Type", "application/json")
	if w := serve(a.handler(overChannel), overSession(r, newSession(t, a, owner.PeerID()))); w.Code != 404 {
		t.Errorf("the owner, for a camera that is not there: %d", w.Code)
	}
	if n := refusals(a, check.Right); n != 3 {
		t.Errorf("%d refusals counted", n)
	}
}

func TestWHEPTokens_AreBounded(t *testing.T) {
	tokens, now := newWHEPTokens(), time.Now()
	greedy := &trust.Principal{Peer: "greedy"}
	first, _, err := tokens.add(now, greedy, "front")
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxTokensOfOne {
		if _, _, err := tokens.add(now.Add(time.Duration(i+1)*time.Millisecond), greedy, "front"); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := tokens.find(now, first); ok || len(tokens.all) != maxTokensOfOne {
		t.Errorf("%d tokens of one holder, the first still there: %v", len(tokens.all), ok)
	}
	for i := range maxWHEPTokens - maxTokensOfOne {
		if _, _, err := tokens.add(now, &trust.Principal{Peer: newID(i)}, "front"); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := tokens.add(now, &trust.Principal{Peer: "late"}, "front"); err == nil {
		t.Error("more tokens than there may be")
	}
	if _, _, err := tokens.add(now.Add(2*whepTokenLife), &trust.Principal{Peer: "late"}, "front"); err != nil || len(tokens.all) != 1 {
		t.Errorf("expired tokens keep their places: %d, %v", len(tokens.all), err)
	}
}

func newID(i int) identity.PeerID { return identity.PeerID("peer" + strconv.Itoa(i)) }

// Who is at the device does not see what address the page has.
func TestWHEPToken_AtTheConsoleHasTheWholeAddress(t *testing.T) {
	a, _, _ := newClosedAgent(t, func(o *Options) { o.ListenerURL = "https://192.0.2.7:8788" })
	var made struct{ URL string }
	decode(t, atConsole(t, a, "POST", "/v1/whep-tokens", map[string]string{"camera": "front"}), &made)
	if made.URL != "https://192.0.2.7:8788/whep/front" {
		t.Errorf("it is %q", made.URL)
	}
}
