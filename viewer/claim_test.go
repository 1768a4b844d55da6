package viewer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/viewer"
)

// claim answers a claim for p.secret.
func (p *publisher) claim(w http.ResponseWriter, r *http.Request, session *signaling.PublisherSession) {
	var asked struct{ Kind, Invite, Proof, Name, Device string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		p.t.Error(err)
	}
	proof := func(side string) string {
		return access.ClaimProof([]byte(p.secret), asked.Kind, side, string(session.Transcript()), session.Viewer(), p.id.PeerID())
	}
	if asked.Proof != proof(access.SideViewer) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"code":"wrong_proof","message":"That is not the secret."}}`)
		return
	}
	answer := proof(access.SidePublisher)
	if p.impostor {
		answer = asked.Proof
	}
	if asked.Name != "Bob" || session.Offer().Claim != signaling.ClaimInvite {
		p.t.Errorf("claimed as %q by %q", asked.Name, session.Offer().Claim)
	}
	holder := session.Viewer()
	if p.stray {
		holder = p.id.PeerID()
	}
	scope := access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.AnyCamera}}
	grant, err := access.NewGrant(p.id, string(p.id.PeerID()), access.Recipient{Peer: holder, Name: asked.Name}, scope, time.Now())
	if err != nil {
		p.t.Error(err)
	}
	p.granted = grant
	_ = json.NewEncoder(w).Encode(map[string]string{"proof": answer, "role": "guest", "grant": grant, "home": home})
}

// home is the publisher's.
const home = "AAECAwQFBgcICQoLDA0ODw"

func claimOf(secret string) viewer.Claim {
	return viewer.Claim{Kind: signaling.ClaimInvite, Invite: "an id", Secret: secret, Name: "Bob", Device: "a phone"}
}

func TestClaimAccess_ProvesTheSecretWithoutSendingIt(t *testing.T) {
	secret := signaling.NewToken(access.TokenSize)
	p := newPublisher(t, func(p *publisher) { p.secret = decoded(t, string(secret)) })
	claimed, err := p.claimAccess(t, claimOf(string(secret)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (viewer.Claimed{Role: "guest", Grant: p.granted, Home: home}); claimed != want {
		t.Errorf("%+v", claimed)
	}
	if len(p.asked) > 0 {
		t.Errorf("a claim asked for cameras: %v", p.asked)
	}
}

func TestClaimAccess_SaysWhyItFailed(t *testing.T) {
	secret := string(signaling.NewToken(access.TokenSize))
	p := newPublisher(t, func(p *publisher) { p.secret = "another secret" })
	_, err := p.claimAccess(t, claimOf(secret))
	if e, ok := errors.AsType[*viewer.APIError](err); !ok || e.Code != "wrong_proof" {
		t.Errorf("a wrong secret: %v", err)
	}
	if _, err := p.claimAccess(t, claimOf("damaged")); err == nil || strings.Contains(err.Error(), "damaged;") && strings.Contains(err.Error(), secret) {
		t.Errorf("a damaged secret: %v", err)
	}
	p = newPublisher(t, func(p *publisher) { p.secret, p.impostor = decoded(t, secret), true })
	if _, err := p.claimAccess(t, claimOf(secret)); err == nil || !strings.Contains(err.Error(), "does not know the secret") {
		t.Errorf("a publisher that knows nothing: %v", err)
	}
	p = newPublisher(t, func(p *publisher) { p.secret, p.stray = decoded(t, secret), true })
	if _, err := p.claimAccess(t, claimOf(secret)); !errors.Is(err, access.ErrHolder) {
		t.Errorf("a grant for somebody else: %v", err)
	}
}

func decoded(t *testing.T, secret string) string {
	t.Helper()
	raw, err := access.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (p *publisher) claimAccess(t *testing.T, c viewer.Claim) (viewer.Claimed, error) {
	t.Helper()
	id, err := viewer.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return viewer.ClaimAccess(ctx, viewer.Options{SignalURL: p.url, Identity: id, Peer: p.id.PeerID(), Loopback: true}, c)
}
