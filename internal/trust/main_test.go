package trust

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// home is a publisher with its clock, and somebody who may own it.
type home struct {
	*Trust
	t         testing.TB
	dir       string
	options   Options
	clock     time.Time
	publisher *identity.Identity
	owner     *identity.Identity
	logged    bytes.Buffer

	// what owners have signed
	lists access.ListState
}

func newPeer(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// newHome opens a publisher that nobody owns, with a folder unless dir is "".
func newHome(t testing.TB, dir string) *home {
	t.Helper()
	h := &home{t: t, dir: dir, publisher: newPeer(t), owner: newPeer(t), clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	h.options = Options{
		Dir: dir, Publisher: h.publisher, Now: func() time.Time { return h.clock },
		Logger: slog.New(slog.NewTextHandler(&h.logged, nil)),
	}
	h.restart()
	return h
}

// restart opens the folder again, as after a power cut.
func (h *home) restart() {
	h.t.Helper()
	t, err := Open(h.options)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Trust = t
}

// paired is newHome with the owner paired.
func paired(t testing.TB, dir string) *home {
	t.Helper()
	h := newHome(t, dir)
	h.pair(h.owner)
	return h
}

func (h *home) peer() identity.PeerID { return h.publisher.PeerID() }

// pair makes id the owner through the console.
func (h *home) pair(id *identity.Identity) {
	h.t.Helper()
	p, err := h.StartPairing(false)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.claimPairing(id, p.Secret); err != nil {
		h.t.Fatal(err)
	}
	h.lists = access.NewListState(id.PeerID())
}

const transcript = "the handshake of this session"

func (h *home) claimPairing(id *identity.Identity, secret string) (ClaimResult, error) {
	h.t.Helper()
	return h.claim(access.ClaimPair, "", id, secret)
}

func (h *home) claimInvite(id *identity.Identity, jti, secret string) (ClaimResult, error) {
	h.t.Helper()
	return h.claim(access.ClaimInvite, jti, id, secret)
}

// claim proves a secret, and verifies what the publisher proves.
func (h *home) claim(kind, jti string, id *identity.Identity, secret string) (ClaimResult, error) {
	h.t.Helper()
	raw, err := access.ParseSecret(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	proof := func(side string) string {
		return access.ClaimProof(raw, kind, side, transcript, id.PeerID(), h.peer())
	}
	r, err := h.Claim(ClaimRequest{
		Kind: kind, Invite: jti, Proof: proof(access.SideViewer), Transcript: transcript, Viewer: id.PeerID(),
		Name: "Somebody", Device: "phone",
	})
	if err == nil && r.Proof != proof(access.SidePublisher) {
		h.t.Error("the publisher's proof is wrong")
	}
	return r, err
}

// as returns the principal of a peer that must be let in.
func (h *home) as(id *identity.Identity, grants ...string) *Principal {
	h.t.Helper()
	p, err := h.Authorize(id.PeerID(), grants)
	if err != nil {
		h.t.Fatalf("%s is not let in: %v", id, err)
	}
	return p
}

// refused reports an error unless a peer is refused by a check.
func (h *home) refused(c check.Name, id *identity.Identity, grants ...string) {
	h.t.Helper()
	_, err := h.Authorize(id.PeerID(), grants)
	refusedBy(h.t, c, err)
}

func refusedBy(t testing.TB, c check.Name, err error) {
	t.Helper()
	if got, ok := check.Of(err); !ok || got != c {
		t.Errorf("refused by %q with %v; want %q", got, err, c)
	}
}

// sign makes the next access list of everything that was signed before.
func (h *home) sign(signer *identity.Identity, edit func(*access.List)) string {
	h.t.Helper()
	return h.signFrom(h.lists, signer, edit)
}

func (h *home) signFrom(s access.ListState, signer *identity.Identity, edit func(*access.List)) string {
	h.t.Helper()
	l := s.Draft(h.clock)
	if edit != nil {
		edit(&l)
	}
	compact, err := access.SignList(signer, l)
	if err != nil {
		h.t.Fatal(err)
	}
	return compact
}

// put signs the next list as the owner and brings it to the publisher.
func (h *home) put(edit func(*access.List)) {
	h.t.Helper()
	compact := h.sign(h.owner, edit)
	if err := h.PutList(h.as(h.owner), compact); err != nil {
		h.t.Fatal(err)
	}
	h.learn(compact)
}

// learn makes a list known to the owners.
func (h *home) learn(compact string) {
	h.t.Helper()
	var err error
	if h.lists, err = h.lists.Accept(compact); err != nil {
		h.t.Fatal(err)
	}
}

func revoke(kind, id string) func(*access.List) {
	return func(l *access.List) {
		l.Revoked = append(l.Revoked, access.Revocation{Kind: kind, ID: id, Time: l.Time})
	}
}

func addOwner(id *identity.Identity) func(*access.List) {
	return func(l *access.List) {
		l.Owners = append(l.Owners, access.Owner{ID: id.PeerID(), Name: "Other", Device: "tablet"})
	}
}

func removeOwner(id *identity.Identity) func(*access.List) {
	return func(l *access.List) {
		var left []access.Owner
		for _, o := range l.Owners {
			if o.ID != id.PeerID() {
				left = append(left, o)
			}
		}
		l.Owners = left
		revoke(access.RevokedPeer, string(id.PeerID()))(l)
	}
}

// grant makes a grant of the owner's, for this publisher.
func (h *home) grant(to *identity.Identity, scope access.Scope) string {
	h.t.Helper()
	return h.grantBy(h.owner, to, scope)
}

func (h *home) grantBy(issuer, to *identity.Identity, scope access.Scope) string {
	h.t.Helper()
	g, err := access.NewGrant(issuer, string(h.peer()), access.Recipient{Peer: to.PeerID(), Name: "Guest", Device: "phone"}, scope, h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

// live is a scope of one right on all cameras.
func live() access.Scope {
	return access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.AnyCamera}}
}

func passable() access.Scope {
	s := live()
	s.Pass = true
	return s
}

func (h *home) until(s access.Scope, d time.Duration) access.Scope {
	s.Expires = h.clock.Add(d).Unix()
	return s
}

func jtiOf(t testing.TB, grant string) string {
	t.Helper()
	g, err := access.ParseGrant(grant)
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

// invite makes an invite and leaves it with the publisher.
func (h *home) invite(by *identity.Identity, r access.InviteRequest) (jti, secret string) {
	h.t.Helper()
	compact, secret := h.newInvite(by, r)
	if err := h.AddInvite(h.as(by), compact, secret); err != nil {
		h.t.Fatal(err)
	}
	v, err := access.ParseInvite(compact)
	if err != nil {
		h.t.Fatal(err)
	}
	return v.ID, secret
}

func (h *home) newInvite(by *identity.Identity, r access.InviteRequest) (compact, secret string) {
	h.t.Helper()
	if r.Redeemer == "" {
		r.Redeemer = h.peer()
	}
	if len(r.Scope.Rights) == 0 && !r.Owner {
		r.Scope = live()
	}
	compact, secret, err := access.NewInvite(by, r, h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	return compact, secret
}

// changed reports whether Changes has something, and takes it.
func (h *home) changed() bool {
	select {
	case <-h.Changes():
		return true
	default:
		return false
	}
}

func says(t *testing.T, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}
