package agent

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

// A junior owner removes the senior one: that one may come to answer, and sees and
// does nothing else.
func TestAccess_ARemovedSeniorAnswersAndDoesNothingElse(t *testing.T) {
	a, fake, f := newClosedAgent(t, nil)
	senior, junior, guest := pairOwner(t, a), newIdentity(t), newIdentity(t).PeerID()
	_, g := grantOf(t, a, senior, guest, time.Time{}, []access.Right{access.Live}, "front")
	newSession(t, a, guest, g)
	put := func(s *session, list string) int {
		t.Helper()
		return ask(t, a, s, "PUT", "/v1/access", map[string]string{"list": list}).Code
	}
	first := firstList(t, a, senior, func(l *access.List) {
		l.Owners = append(l.Owners, access.Owner{ID: junior.PeerID()})
	})
	watching := newSession(t, a, senior.PeerID())
	if code := put(watching, first); code != 200 {
		t.Fatal(code)
	}
	parsed, err := access.ParseList(first)
	if err != nil {
		t.Fatal(err)
	}
	only := func(who int) access.List {
		l := *parsed
		l.Version, l.Previous = 2, parsed.Hash()
		l.Revoked = append(l.Revoked, access.Revocation{Kind: access.RevokedPeer, ID: string(l.Owners[1-who].ID), Time: l.Time})
		l.Owners = l.Owners[who : who+1]
		return l
	}
	coup, err := access.SignList(junior, only(1))
	if err != nil {
		t.Fatal(err)
	}
	if code := put(newSession(t, a, junior.PeerID()), coup); code != 200 {
		t.Fatal(code)
	}
	if reason := a.review(watching); reason == "" {
		t.Error("the senior goes on watching")
	}
	if _, m := offer(t, a, f, senior, signaling.Request{Media: []signaling.Media{{MID: "0", Camera: "front"}}}); rejectCode(m) != signaling.RejectForbidden {
		t.Errorf("an offer to watch is answered by %+v", m)
	}
	h, m := offer(t, a, f, senior, signaling.Request{})
	if _, ok := m.(*signaling.Answer); !ok || len(fake.picked) != 0 {
		t.Fatalf("an offer without media is answered by %+v, with %v", m, fake.picked)
	}
	s := h.agents(t, a)
	if s.principal.Load().Role != trust.RoleDisputing {
		t.Errorf("the senior is %+v", s.principal.Load())
	}
	for _, path := range []string{"/v1/cameras", "/v1/events", "/v1/time", "/v1/me", "/v1/session", "/v1/access/log"} {
		if w := ask(t, a, s, "GET", path, nil); w.Code != 403 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/v1/session/offer", "/v1/invites", "/v1/whep-tokens", "/v1/qr", "/v1/claim"} {
		if w := ask(t, a, s, "POST", path, map[string]string{}); w.Code != 403 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	var got struct {
		trust.AccessState
		Log accesslog.Head
	}
	w := ask(t, a, s, "GET", "/v1/access", nil)
	decode(t, w, &got)
	if w.Code != 200 || len(got.Lists) != 2 || got.List != coup || got.Log != (accesslog.Head{}) ||
		len(got.Grants)+len(got.Owners)+len(got.Invites) != 0 {
		t.Errorf("the senior sees: %d %s", w.Code, w.Body)
	}
	refused := refusals(a, check.ListSigner)
	if code := put(s, firstList(t, a, newIdentity(t), func(l *access.List) { l.Home = parsed.Home })); code != 403 || refusals(a, check.ListSigner) == refused {
		t.Errorf("a stranger's list: %d", code)
	}
	answer, err := access.SignList(senior, only(0))
	if err != nil {
		t.Fatal(err)
	}
	if code := put(s, answer); code != 200 {
		t.Fatal(code)
	}
	if w := ask(t, a, s, "GET", "/v1/cameras", nil); w.Code != 200 {
		t.Errorf("the senior is no owner again: %d %s", w.Code, w.Body)
	}
	if _, m := offer(t, a, f, junior, signaling.Request{}); rejectCode(m) != signaling.RejectForbidden {
		t.Errorf("the junior is answered by %+v", m)
	}
}
