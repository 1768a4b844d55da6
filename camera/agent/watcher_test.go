package agent

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/signaling"
)

// may2026 lets the virtual clock, which begins in 2000, show a time that can be
// right.
func may2026() {
	time.Sleep(time.Until(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))) //nolint:forbidigo // virtual time
}

// watch runs the agent's watcher until the test ends.
func watch(t *testing.T, a *Agent) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.watchAccess(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// wantEnd lets d pass and wants to find the session ended, the viewer told why.
func wantEnd(t *testing.T, f *fakeSignal, h *handshake, s *session, d time.Duration, reason string) {
	t.Helper()
	time.Sleep(d) //nolint:forbidigo // virtual time
	synctest.Wait()
	if media, ok := s.media.(*fakeSession); !ok || !media.ended() {
		t.Fatalf("the session goes on after %v", d)
	}
	for _, payload := range f.take(h.viewer.PeerID()) {
		in, err := signaling.Open(h.viewer, payload)
		if err != nil {
			t.Fatal(err)
		}
		m, err := h.session.Receive(in)
		if err != nil {
			t.Fatal(err)
		}
		if bye, ok := m.(*signaling.Bye); ok {
			if !strings.Contains(bye.Reason, reason) {
				t.Errorf("the viewer is told %q, want %q", bye.Reason, reason)
			}
			return
		}
	}
	t.Error("the viewer is not told")
}

func TestWatcher_RevocationAndExpiryEndSessionsWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		may2026()
		a, _, f := newClosedAgent(t, nil)
		owner := pairOwner(t, a)
		watch(t, a)
		join := func(expires time.Time) (*handshake, *session, string) {
			guest := newIdentity(t)
			jti, g := grantOf(t, a, owner, guest.PeerID(), expires, []access.Right{access.Live}, "front")
			h, m := offer(t, a, f, guest, signaling.Request{Grants: []string{g}, Media: []signaling.Media{{MID: "0", Camera: "front"}}})
			if _, ok := m.(*signaling.Answer); !ok {
				t.Fatalf("the guest is answered by %+v", m)
			}
			return h, h.agents(t, a), jti
		}
		byPeer, first, _ := join(time.Time{})
		byGrant, second, jti := join(time.Time{})
		brief, third, _ := join(time.Now().Add(time.Minute))
		staying, fourth, _ := join(time.Time{})
		if _, err := a.gate.trust.RevokeHere(string(byPeer.viewer.PeerID())); err != nil {
			t.Fatal(err)
		}
		wantEnd(t, f, byPeer, first, 2*time.Second, "taken back")
		if _, err := a.gate.trust.RevokeHere(jti); err != nil {
			t.Fatal(err)
		}
		wantEnd(t, f, byGrant, second, 2*time.Second, "taken back")
		if w := serve(a.handler(overChannel), overSession(request("GET", "/v1/cameras", ""), second)); w.Code != 403 {
			t.Errorf("a request of somebody revoked: %d", w.Code)
		}
		wantEnd(t, f, brief, third, 58*time.Second, "expired")
		if fourth.media.(*fakeSession).ended() {
			t.Error("somebody else's session ended too")
		}
		if refusals(a, check.Revoked) == 0 || refusals(a, check.Expiry) == 0 {
			t.Error("the refusals are not counted")
		}
		if _, err := a.gate.trust.StartPairing(true); err != nil {
			t.Fatal(err)
		}
		wantEnd(t, f, staying, fourth, 2*time.Second, "taken back")
	})
}

func TestWatcher_EndsAPlayersSessionWithItsHoldersAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		may2026()
		a, fake, _ := newClosedAgent(t, nil)
		owner := pairOwner(t, a)
		watch(t, a)
		guest := newIdentity(t)
		_, g := grantOf(t, a, owner, guest.PeerID(), time.Time{}, []access.Right{access.Live}, "front")
		token := tokenFor(t, a, newSession(t, a, guest.PeerID(), g), "front")
		w := serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", typeSDP, "Authorization", "Bearer "+token))
		if w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if _, err := a.gate.trust.RevokeHere(string(guest.PeerID())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // virtual time
		synctest.Wait()
		if !fake.session(0).ended() {
			t.Error("the player goes on")
		}
		w = serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", typeSDP, "Authorization", "Bearer "+token))
		if w.Code != 401 || errorCode(t, w) != "invalid_token" {
			t.Errorf("with the token: %d %s", w.Code, w.Body)
		}
	})
}
