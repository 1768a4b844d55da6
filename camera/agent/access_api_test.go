package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// ask makes a request with a JSON body over a session.
func ask(t *testing.T, a *Agent, s *session, method, path string, body any) *httptest.ResponseRecorder {
	t.Helper()
	text, header := "", []string{}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text, header = string(data), []string{"Content-Type", "application/json"}
	}
	return serve(a.handler(overChannel), overSession(request(method, path, text, header...), s))
}

// atConsole makes a request at the console.
func atConsole(t *testing.T, a *Agent, method, path string, body any) *httptest.ResponseRecorder {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := request(method, path, string(data), "Content-Type", "application/json")
	r.RemoteAddr, r.Host = "@", "agent"
	return serve(a.handler(overConsole), r)
}

// firstList is the first access list of a home.
func firstList(t *testing.T, a *Agent, owner *identity.Identity, change func(*access.List)) string {
	t.Helper()
	l := access.List{
		Home: access.NewToken(), Version: 1, Time: time.Now().Unix(),
		Owners:     []access.Owner{{ID: owner.PeerID(), Name: "Ann", Device: "phone"}},
		Publishers: []access.Publisher{{ID: a.PeerID(), Name: "Garden", Kind: access.KindAgent}},
	}
	if change != nil {
		change(&l)
	}
	compact, err := access.SignList(owner, l)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestAccess_OwnersPutListsAndOthersDoNot(t *testing.T) {
	a, _, _ := newClosedAgent(t, nil)
	owner, admin := pairOwner(t, a), newIdentity(t).PeerID()
	_, g := grantOf(t, a, owner, admin, time.Time{}, []access.Right{access.Live, access.Admin}, "front")
	mine, theirs := newSession(t, a, owner.PeerID()), newSession(t, a, admin, g)
	list := firstList(t, a, owner, nil)
	if w := ask(t, a, theirs, "PUT", "/v1/access", map[string]string{"list": list}); w.Code != 403 || refusals(a, check.Right) != 1 {
		t.Errorf("a guest with admin put a list: %d %s", w.Code, w.Body)
	}
	stranger := newIdentity(t)
	forged := firstList(t, a, stranger, func(l *access.List) { l.Owners[0].ID = stranger.PeerID() })
	if w := ask(t, a, mine, "PUT", "/v1/access", map[string]string{"list": forged}); w.Code != 403 || refusals(a, check.ListSigner) != 1 {
		t.Errorf("a list that no owner signed: %d %s", w.Code, w.Body)
	}
	if w := ask(t, a, mine, "PUT", "/v1/access", map[string]string{"list": "x"}); w.Code != 400 {
		t.Errorf("no list at all: %d %s", w.Code, w.Body)
	}
	w := ask(t, a, mine, "PUT", "/v1/access", map[string]string{"list": list})
	var got struct {
		Publisher identity.PeerID
		Version   int
		List      string
		Log       accesslog.Head
	}
	decode(t, w, &got)
	if w.Code != 200 || got.Publisher != a.PeerID() || got.Version != 1 || got.List != list {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, a, theirs, "GET", "/v1/access", nil); w.Code != 200 {
		t.Errorf("a guest with admin may not look: %d %s", w.Code, w.Body)
	}
	parsed, err := access.ParseList(list)
	if err != nil {
		t.Fatal(err)
	}
	second := *parsed
	second.Version, second.Previous = 2, parsed.Hash()
	newer, err := access.SignList(owner, second)
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(t, a, mine, "PUT", "/v1/access", map[string]string{"list": newer}); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, a, mine, "PUT", "/v1/access", map[string]string{"list": list}); w.Code != 409 || errorCode(t, w) != "outdated" {
		t.Errorf("the old list again: %d %s", w.Code, w.Body)
	}
}

func TestAccess_AnInviteIsLeftRedeemedAndUsedUp(t *testing.T) {
	a, _, f := newClosedAgent(t, nil)
	owner := pairOwner(t, a)
	mine := newSession(t, a, owner.PeerID())
	text := access.NewToken()
	secret, err := access.ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	v := access.Invite{
		Audience: string(a.PeerID()), ID: access.NewToken(), Issued: time.Now().Unix(), Expires: time.Now().Add(time.Hour).Unix(),
		Redeemer: a.PeerID(), Commit: access.CommitOf(secret), Name: "Bob",
		Scope: access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.CameraOf(a.PeerID(), "front")}},
	}
	invite, err := access.SignInvite(owner, v)
	if err != nil {
		t.Fatal(err)
	}
	guest := newIdentity(t)
	if _, m := offer(t, a, f, guest, signaling.Request{Claim: signaling.ClaimInvite}); rejectCode(m) != signaling.RejectPairingClosed {
		t.Fatalf("no invite is open, and the agent answers %+v", m)
	}
	if w := ask(t, a, mine, "POST", "/v1/invites", map[string]string{"invite": invite, "secret": access.NewToken()}); w.Code/100 != 4 {
		t.Errorf("another secret: %d %s", w.Code, w.Body)
	}
	if w := ask(t, a, mine, "POST", "/v1/invites", map[string]string{"invite": invite, "secret": text}); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	h := openClaim(t, a, f, guest, signaling.ClaimInvite)
	w := claim(t, a, h, access.ClaimInvite, v.ID, secret)
	var got struct{ Proof, Role, Grant string }
	decode(t, w, &got)
	if w.Code != 200 || got.Role != "guest" || got.Grant == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	_, m := offer(t, a, f, guest, signaling.Request{Grants: []string{got.Grant}, Media: []signaling.Media{{MID: "0", Camera: "front"}}})
	if _, ok := m.(*signaling.Answer); !ok {
		t.Errorf("the guest is answered by %+v", m)
	}
	if w := claim(t, a, h, access.ClaimInvite, v.ID, secret); w.Code != 410 || errorCode(t, w) != "used" || refusals(a, check.Once) != 1 {
		t.Errorf("used twice: %d %s", w.Code, w.Body)
	}
	again := v
	again.ID = access.NewToken()
	if invite, err = access.SignInvite(owner, again); err != nil {
		t.Fatal(err)
	}
	if w := ask(t, a, mine, "POST", "/v1/invites", map[string]string{"invite": invite, "secret": text}); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, a, mine, "DELETE", "/v1/invites/"+again.ID, nil); w.Code != 204 {
		t.Errorf("taken back: %d %s", w.Code, w.Body)
	}
	if w := ask(t, a, mine, "DELETE", "/v1/invites/"+again.ID, nil); w.Code != 404 {
		t.Errorf("taken back twice: %d %s", w.Code, w.Body)
	}
}

// newLog returns a log in memory.
func newLog(t *testing.T) *accesslog.Log {
	t.Helper()
	log, err := accesslog.Open("", accesslog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// entries returns what is in the log, as "kind what from".
func entries(t *testing.T, log *accesslog.Log) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := log.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	lines, _, err := log.Read(0, maxLogLines)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range lines {
		var e accesslog.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s|%s|%s|%s", e.Kind, e.Name, e.What, e.From))
	}
	return out
}

func TestAccessLog_TellsWhoCameLeftAndWasRefused(t *testing.T) {
	log := newLog(t)
	a, fake, f := newClosedAgent(t, func(o *Options) { o.Log = log })
	secret := startPairing(t, a)
	owner := newIdentity(t)
	if w := claim(t, a, openClaim(t, a, f, owner, signaling.ClaimPair), access.ClaimPair, "", secret); w.Code != 200 {
		t.Fatal(w.Code)
	}
	stranger := newIdentity(t)
	for range 3 {
		offer(t, a, f, stranger, signaling.Request{})
	}
	h, _ := offer(t, a, f, owner, signaling.Request{})
	s := h.agents(t, a)
	tokenFor(t, a, s, "front")
	for i := range 2 {
		_ = fake.session(i).Close()
	}
	a.sessions.wait()
	got := entries(t, log)
	want := []string{
		"paired|Ann|as owner, on phone|192.0.2.9:4000",
		"refused||allowed|",
		"came|Ann|viewer|192.0.2.9:4000",
		"whep-token|Ann|for camera front|192.0.2.9:4000",
		"left|Ann|viewer, for 0s|192.0.2.9:4000",
	}
	slices.Sort(got) // came is written by another goroutine
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w := ask(t, a, newSession(t, a, owner.PeerID()), "GET", "/v1/access/log?after=2&limit=2", nil)
	var page struct {
		Lines []string
		Head  accesslog.Head
		Floor int64
	}
	decode(t, w, &page)
	if w.Code != 200 || len(page.Lines) != 2 || page.Head != log.Head() || page.Floor != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, query := range []string{"after=-1", "limit=x", "after=99999999999999999999"} {
		if w := ask(t, a, newSession(t, a, owner.PeerID()), "GET", "/v1/access/log?"+query, nil); w.Code != 400 {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestJournal_StrangersCannotFillTheLog(t *testing.T) {
	log := newLog(t)
	j, now := newJournal(log), time.Now()
	for i := range 3 * refusedPeers {
		j.refused(now.Add(time.Duration(i)*time.Millisecond), newID(i), "allowed", "")
	}
	if n := len(entries(t, log)); n < refusedBurst || n > refusedBurst+2 {
		t.Errorf("%d refusals of strangers in three seconds are in the log", n)
	}
	now = now.Add(time.Hour)
	before := len(entries(t, log))
	for i := range 10 {
		j.refused(now.Add(time.Duration(i)*10*time.Second), "one", "allowed", "")
	}
	if n := len(entries(t, log)) - before; n != 2 {
		t.Errorf("one peer is in the log %d times in 90 s", n)
	}
}

func TestConsole_PairsInvitesAndRevokes(t *testing.T) {
	log := newLog(t)
	a, _, f := newClosedAgent(t, func(o *Options) { o.Page, o.Log = "https://page.example", log })
	var pairing struct{ Peer, Page, Secret, Expires string }
	decode(t, atConsole(t, a, "POST", "/v1/console/pair", map[string]bool{"reset": false}), &pairing)
	secret, err := access.ParseSecret(pairing.Secret)
	if err != nil || pairing.Peer != string(a.PeerID()) || pairing.Page != "https://page.example" {
		t.Fatalf("%+v %v", pairing, err)
	}
	if ends, err := time.Parse(time.RFC3339, pairing.Expires); err != nil || time.Until(ends) > 10*time.Minute || time.Until(ends) < 9*time.Minute {
		t.Errorf("the pairing ends at %s, %v", pairing.Expires, err)
	}
	owner := newIdentity(t)
	if w := claim(t, a, openClaim(t, a, f, owner, signaling.ClaimPair), access.ClaimPair, "", secret); w.Code != 200 {
		t.Fatal(w.Code)
	}
	w := atConsole(t, a, "POST", "/v1/console/pair", map[string]bool{"reset": false})
	if w.Code != 409 || errorCode(t, w) != "owned" {
		t.Errorf("paired twice: %d %s", w.Code, w.Body)
	}
	var invited struct{ Peer, Page, Invite, Expires string }
	w = atConsole(t, a, "POST", "/v1/console/invites", map[string]any{
		"name": "Bob", "rights": []string{"live"}, "cameras": []string{"*"}, "expires": 3600, "pass": false,
	})
	decode(t, w, &invited)
	jti, text, _ := strings.Cut(invited.Invite, ".")
	if w.Code != 200 || access.ValidateToken(jti, access.TokenSize) != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	guest := newIdentity(t)
	if secret, err = access.ParseSecret(text); err != nil {
		t.Fatal(err)
	}
	w = claim(t, a, openClaim(t, a, f, guest, signaling.ClaimInvite), access.ClaimInvite, jti, secret)
	var got struct{ Grant string }
	decode(t, w, &got)
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, a, newSession(t, a, guest.PeerID(), got.Grant), "GET", "/v1/cameras", nil); w.Code != 200 {
		t.Errorf("the guest: %d %s", w.Code, w.Body)
	}
	if w := atConsole(t, a, "POST", "/v1/console/revoke", map[string]string{"id": string(guest.PeerID())}); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, m := offer(t, a, f, guest, signaling.Request{Grants: []string{got.Grant}}); rejectCode(m) != signaling.RejectForbidden {
		t.Errorf("the guest is answered by %+v", m)
	}
	if w := atConsole(t, a, "POST", "/v1/console/revoke", map[string]string{"id": "nobody at all"}); w.Code != 404 {
		t.Errorf("revoked nobody: %d %s", w.Code, w.Body)
	}
	for body, path := range map[string]string{
		`{"name":"x","rights":["fly"],"cameras":["*"],"expires":0,"pass":false}`:   "/v1/console/invites",
		`{"name":"x","rights":["live"],"cameras":["*"],"expires":-1,"pass":false}`: "/v1/console/invites",
		`{"name":"x","rights":["live"],"cameras":[],"expires":0,"pass":false}`:     "/v1/console/invites",
		`{"reset":1}`: "/v1/console/pair",
	} {
		if w := atConsole(t, a, "POST", path, json.RawMessage(body)); w.Code != 400 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := atConsole(t, a, "POST", "/v1/whep-tokens", map[string]string{"camera": "front"}); w.Code != 201 || !strings.Contains(w.Body.String(), `"url":"/whep/front"`) {
		t.Errorf("a token: %d %s", w.Code, w.Body)
	}
	if w := atConsole(t, a, "POST", "/v1/console/pair", map[string]bool{"reset": true}); w.Code != 200 {
		t.Errorf("reset: %d %s", w.Code, w.Body)
	}
	if _, m := offer(t, a, f, owner, signaling.Request{}); rejectCode(m) != signaling.RejectForbidden {
		t.Errorf("the owner of before is answered by %+v", m)
	}
	text = strings.Join(entries(t, log), "\n")
	for _, want := range []string{"invited||invite " + jti + " for Bob|console", "revoked||peer " + string(guest.PeerID()) + "|console", "reset||", "redeemed|Bob|as guest, on phone|"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the log:\n%s", want, text)
		}
	}
	if strings.Contains(text, pairing.Secret) || strings.Contains(text, invited.Invite) {
		t.Error("a secret is in the log")
	}
}

func TestConsole_IsNotServedOverTheNetwork(t *testing.T) {
	a, _, _ := newClosedAgent(t, nil)
	owner := newSession(t, a, pairOwner(t, a).PeerID())
	for _, path := range []string{"/v1/console/pair", "/v1/console/invites", "/v1/console/revoke"} {
		if w := ask(t, a, owner, http.MethodPost, path, map[string]bool{"reset": true}); w.Code != 404 {
			t.Errorf("%s over a channel: %d", path, w.Code)
		}
		if w := serve(a.ownRoutes, request("POST", path, `{"reset":true}`, "Content-Type", "application/json")); w.Code != 404 {
			t.Errorf("%s on the listener: %d", path, w.Code)
		}
	}
	if w := atConsole(t, a, "POST", "/v1/invites", nil); w.Code != 404 {
		t.Errorf("a guest's invites at the console: %d", w.Code)
	}
}
