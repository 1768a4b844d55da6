package agent

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

// fakeSignal keeps what the agent sends.
type fakeSignal struct {
	mu   sync.Mutex
	sent map[identity.PeerID][]string
}

func (f *fakeSignal) Run(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (f *fakeSignal) Send(_ context.Context, to identity.PeerID, payload string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[to] = append(f.sent[to], payload)
	return nil
}

func (f *fakeSignal) take(to identity.PeerID) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.sent[to]
	delete(f.sent, to)
	return out
}

// newClosedAgent is newTestAgent without --open, with a fake signaling server.
func newClosedAgent(t *testing.T, change func(*Options)) (*Agent, *fakePublisher, *fakeSignal) {
	t.Helper()
	a, p := newTestAgent(t, func(o *Options) {
		o.Open = false
		if change != nil {
			change(o)
		}
	})
	f := &fakeSignal{sent: make(map[identity.PeerID][]string)}
	a.signal = f
	return a, p, f
}

// handshake is a viewer's end of a session.
type handshake struct {
	viewer  *identity.Identity
	session *signaling.ViewerSession
}

// offer sends an offer of a viewer and returns what the agent answers: an
// *signaling.Answer, a *signaling.Reject, or nil for silence.
func offer(t *testing.T, a *Agent, f *fakeSignal, viewer *identity.Identity, r signaling.Request) (*handshake, signaling.Message) {
	t.Helper()
	v, err := signaling.NewViewerSession(viewer, a.PeerID(), a.opts.Identity.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	if r.SDP == "" {
		r.SDP = testOffer("video H264")
	}
	sealed, err := v.Offer(time.Now(), r)
	if err != nil {
		t.Fatal(err)
	}
	a.receive(t.Context(), viewer.PeerID(), sealed)
	a.watching.Wait()
	for _, payload := range f.take(viewer.PeerID()) {
		in, err := signaling.Open(viewer, payload)
		if err != nil {
			t.Fatal(err)
		}
		if in.Head().Session != v.ID() {
			continue // the end of an older one
		}
		m, err := v.Receive(in)
		if err != nil {
			t.Fatal(err)
		}
		return &handshake{viewer, v}, m
	}
	return &handshake{viewer, v}, nil
}

// sessionOfViewer returns the agent's end of a handshake.
func (h *handshake) agents(t *testing.T, a *Agent) *session {
	t.Helper()
	s, ok := a.sessions.get(sessionKey{h.viewer.PeerID(), h.session.ID()})
	if !ok {
		t.Fatal("there is no session")
	}
	return s
}

// pairOwner makes somebody new the owner of an agent that has none.
func pairOwner(t *testing.T, a *Agent) *identity.Identity {
	t.Helper()
	owner := newIdentity(t)
	pairing, err := a.gate.trust.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := access.ParseSecret(pairing.Secret)
	if err != nil {
		t.Fatal(err)
	}
	transcript := string(signaling.NewToken(signaling.HashSize))
	if _, err := a.gate.trust.Claim(trust.ClaimRequest{
		Kind: access.ClaimPair, Transcript: transcript, Viewer: owner.PeerID(), Name: "Ann", Device: "phone",
		Proof: access.ClaimProof(secret, access.ClaimPair, access.SideViewer, transcript, owner.PeerID(), a.PeerID()),
	}); err != nil {
		t.Fatal(err)
	}
	return owner
}

// grantOf makes a grant by an owner for some cameras of the agent.
func grantOf(t *testing.T, a *Agent, owner *identity.Identity, holder identity.PeerID, expires time.Time, rights []access.Right, cameras ...string) (jti, compact string) {
	t.Helper()
	scope := access.Scope{Rights: rights}
	if !expires.IsZero() {
		scope.Expires = expires.Unix()
	}
	for _, c := range cameras {
		scope.Cameras = append(scope.Cameras, access.CameraOf(a.PeerID(), c))
	}
	g := access.Grant{Holder: holder, Audience: string(a.PeerID()), ID: access.NewToken(), Issued: time.Now().Unix(), Name: "Bob", Device: "tablet", Scope: scope}
	compact, err := access.SignGrant(owner, g)
	if err != nil {
		t.Fatal(err)
	}
	return g.ID, compact
}
