package agent

import (
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// startPairing opens the pairing and returns its secret.
func startPairing(t *testing.T, a *Agent) []byte {
	t.Helper()
	p, err := a.gate.trust.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := access.ParseSecret(p.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// claim shows a secret over a session that was opened for it.
func claim(t *testing.T, a *Agent, h *handshake, kind, invite string, secret []byte) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(map[string]string{
		"kind": kind, "invite": invite, "name": "Ann", "device": "phone",
		"proof": access.ClaimProof(secret, kind, access.SideViewer, string(h.session.Transcript()), h.viewer.PeerID(), a.PeerID()),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := request("POST", "/v1/claim", string(body), "Content-Type", "application/json")
	return serve(a.handler(overChannel), overSession(r, h.agents(t, a)))
}

func openClaim(t *testing.T, a *Agent, f *fakeSignal, viewer *identity.Identity, kind signaling.Claim) *handshake {
	t.Helper()
	h, m := offer(t, a, f, viewer, signaling.Request{Claim: kind})
	if _, ok := m.(*signaling.Answer); !ok {
		t.Fatalf("the claim's offer was answered by %+v", m)
	}
	return h
}

func TestClaim_TheFirstToPairIsTheOwner(t *testing.T) {
	a, fake, f := newClosedAgent(t, nil)
	viewer := newIdentity(t)
	if _, m := offer(t, a, f, viewer, signaling.Request{Claim: signaling.ClaimPair}); rejectCode(m) != signaling.RejectPairingClosed {
		t.Fatalf("no pairing is open, and the agent answers %+v", m)
	}
	secret := startPairing(t, a)
	h := openClaim(t, a, f, viewer, signaling.ClaimPair)
	if len(fake.picked) != 0 {
		t.Errorf("the session has media: %v", fake.picked)
	}
	s := h.agents(t, a)
	for _, path := range []string{"/v1/cameras", "/v1/me", "/v1/time", "/v1/access", "/v1/session"} {
		if w := serve(a.handler(overChannel), overSession(request("GET", path, ""), s)); w.Code != 403 {
			t.Errorf("%s over the session of a claim: %d", path, w.Code)
		}
	}
	if w := serve(a.handler(overChannel), overSession(request("GET", "/healthz", ""), s)); w.Code != 200 {
		t.Errorf("/healthz: %d", w.Code)
	}
	w := claim(t, a, h, access.ClaimPair, "", secret)
	var got struct{ Proof, Role, Grant, Home string }
	decode(t, w, &got)
	if w.Code != 200 || got.Role != "owner" || got.Grant != "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	want := access.ClaimProof(secret, access.ClaimPair, access.SidePublisher, string(h.session.Transcript()), viewer.PeerID(), a.PeerID())
	if got.Proof != want {
		t.Error("the agent does not prove that it has the secret")
	}
	h2, m := offer(t, a, f, viewer, signaling.Request{Media: []signaling.Media{{MID: "0", Camera: "front"}}})
	if _, ok := m.(*signaling.Answer); !ok {
		t.Fatalf("the owner is answered by %+v", m)
	}
	if w := serve(a.handler(overChannel), overSession(request("GET", "/v1/access", ""), h2.agents(t, a))); w.Code != 200 {
		t.Errorf("the owner may not see who has access: %d %s", w.Code, w.Body)
	}
	if w := serve(a.handler(overChannel), overSession(request("POST", "/v1/claim", "{}", "Content-Type", "application/json"), h2.agents(t, a))); w.Code != 403 {
		t.Errorf("a claim over an ordinary session: %d", w.Code)
	}
	if n := a.metrics.claims[claimClass{"pair", "ok"}]; n != 1 {
		t.Errorf("%d claims counted", n)
	}
}

func rejectCode(m signaling.Message) signaling.RejectCode {
	if r, ok := m.(*signaling.Reject); ok {
		return r.Code
	}
	return ""
}

func TestClaim_AProofIsOfItsOwnSession(t *testing.T) {
	a, _, f := newClosedAgent(t, nil)
	secret := startPairing(t, a)
	victim, thief := newIdentity(t), newIdentity(t)
	first := openClaim(t, a, f, victim, signaling.ClaimPair)
	second := openClaim(t, a, f, thief, signaling.ClaimPair)
	// What the victim would have shown is passed on over the thief's session.
	stolen := &handshake{victim, first.session}
	body, _ := json.Marshal(map[string]string{
		"kind": "pair", "invite": "", "name": "", "device": "",
		"proof": access.ClaimProof(secret, access.ClaimPair, access.SideViewer, string(stolen.session.Transcript()), victim.PeerID(), a.PeerID()),
	})
	r := request("POST", "/v1/claim", string(body), "Content-Type", "application/json")
	w := serve(a.handler(overChannel), overSession(r, second.agents(t, a)))
	if w.Code != 403 || errorCode(t, w) != "wrong_proof" || refusals(a, check.Proof) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := claim(t, a, first, access.ClaimPair, "", secret); w.Code != 200 {
		t.Errorf("the owner's own: %d %s", w.Code, w.Body)
	}
}

func TestClaim_WrongTriesLockIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, f := newClosedAgent(t, nil)
		secret := startPairing(t, a)
		h := openClaim(t, a, f, newIdentity(t), signaling.ClaimPair)
		wrong := make([]byte, len(secret))
		for i := range 5 {
			if w := claim(t, a, h, access.ClaimPair, "", wrong); w.Code != 403 || errorCode(t, w) != "wrong_proof" {
				t.Fatalf("try %d: %d %s", i, w.Code, w.Body)
			}
		}
		w := claim(t, a, h, access.ClaimPair, "", secret)
		after, err := strconv.Atoi(w.Header().Get("Retry-After"))
		if w.Code != 429 || errorCode(t, w) != "locked" || err != nil || after < 50 || after > 61 || refusals(a, check.Lock) != 1 {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		if n := a.metrics.claims[claimClass{"pair", "wrong_proof"}]; n != 5 {
			t.Errorf("%d wrong tries counted", n)
		}
		secret = startPairing(t, a) // the device's own console clears it
		if w := claim(t, a, h, access.ClaimPair, "", secret); w.Code != 200 {
			t.Errorf("after a new pairing: %d %s", w.Code, w.Body)
		}
	})
}

func TestClaim_RequestsAreChecked(t *testing.T) {
	a, _, f := newClosedAgent(t, nil)
	startPairing(t, a)
	h := openClaim(t, a, f, newIdentity(t), signaling.ClaimPair)
	proof := access.HashOf("x")
	for body, want := range map[string]int{
		`{"kind":"invite","invite":"","proof":"` + proof + `","name":"","device":""}`:                                     400,
		`{"kind":"pair","invite":"","proof":"` + proof + `","name":"` + strings.Repeat("x", maxName+1) + `","device":""}`: 400,
		`{"kind":"pair","invite":"","proof":"` + proof + `","name":"a\u0007","device":""}`:                                400,
		`{"kind":"pair","proof":"x","name":"","device":"","extra":1}`:                                                     400,
		`{"kind":"pair","invite":"","proof":"` + proof + `","name":"ä","device":""}`:                                      403,
	} {
		r := request("POST", "/v1/claim", body, "Content-Type", "application/json")
		if w := serve(a.handler(overChannel), overSession(r, h.agents(t, a))); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
}

func TestClaim_SessionsAreFewAndShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, fake, f := newClosedAgent(t, nil)
		startPairing(t, a)
		for range maxClaims {
			openClaim(t, a, f, newIdentity(t), signaling.ClaimPair)
		}
		if _, m := offer(t, a, f, newIdentity(t), signaling.Request{Claim: signaling.ClaimPair}); rejectCode(m) != signaling.RejectBusy {
			t.Fatalf("one more is answered by %+v", m)
		}
		if refusals(a, check.Sessions) != 1 {
			t.Error("it is not counted")
		}
		time.Sleep(claimLife + time.Second) //nolint:forbidigo // virtual time
		synctest.Wait()
		for i := range maxClaims {
			if !fake.session(i).ended() {
				t.Errorf("session %d goes on", i)
			}
		}
		openClaim(t, a, f, newIdentity(t), signaling.ClaimPair)
	})
}
