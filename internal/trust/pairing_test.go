package trust

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

func TestPairing_MakesTheOwnerAndOutlivesARestart(t *testing.T) {
	h := newHome(t, t.TempDir())
	if h.Owned() || h.ClaimOpen(access.ClaimPair) {
		t.Error("a new publisher has an owner, or waits for one")
	}
	h.refused(check.Allowed, h.owner)
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	if p.Expires != h.clock.Add(10*time.Minute) || !h.ClaimOpen(access.ClaimPair) || h.ClaimOpen(access.ClaimInvite) || h.ClaimOpen("") {
		t.Errorf("open until %v", p.Expires)
	}
	r, err := h.claimPairing(h.owner, p.Secret)
	if err != nil || r.Role != RoleOwner || r.Grant != "" || r.Home != "" || r.Name != "Somebody" {
		t.Fatalf("%+v %v", r, err)
	}
	if !h.changed() {
		t.Error("nobody was told")
	}
	for range 2 {
		o := h.as(h.owner)
		if !o.Owner() || o.Name != "Somebody" || o.Device != "phone" || !o.Expires.IsZero() || !o.May(access.Admin, "any") {
			t.Errorf("%+v", o)
		}
		if s := h.State(); len(s.Owners) != 1 || s.Owners[0].Name != "Somebody" || s.List != "" {
			t.Errorf("%+v", s)
		}
		h.restart()
	}
	_, err = h.StartPairing(false)
	says(t, err, ErrOwned, "Somebody (phone)", "invite", "reset")
}

func TestPairing_SecretWorksOnce(t *testing.T) {
	h := newHome(t, "")
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	thief := newPeer(t)
	for range 2 * maxWrongTries {
		if _, err := h.claimPairing(h.owner, p.Secret); err == nil {
			continue
		} else if refusedBy(t, check.Once, err); !errors.Is(err, ErrUsed) {
			t.Errorf("got %v", err)
		}
	}
	_, err = h.claimPairing(thief, p.Secret)
	refusedBy(t, check.Once, err)
	h.refused(check.Allowed, thief)
	if err := h.ClaimLockedFor(h.owner.PeerID()); err != nil {
		t.Error("a right secret, used before, counts as a wrong one")
	}
}

func TestPairing_SecretExpires(t *testing.T) {
	h := newHome(t, "")
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	h.clock = h.clock.Add(PairingLifetime)
	if _, err := h.claimPairing(h.owner, p.Secret); !errors.Is(err, ErrExpiredClaim) || h.Owned() {
		t.Errorf("got %v", err)
	}
	if !h.ClaimOpen(access.ClaimPair) {
		t.Error("nobody hears that it has expired")
	}
	h.clock = h.clock.Add(pairingMemory)
	if h.ClaimOpen(access.ClaimPair) {
		t.Error("it is open for ever")
	}
}

func TestPairing_ANewSecretReplacesTheOld(t *testing.T) {
	h := newHome(t, "")
	first, _ := h.StartPairing(false)
	second, err := h.StartPairing(false)
	if err != nil || first.Secret == second.Secret {
		t.Fatal(err)
	}
	_, err = h.claimPairing(h.owner, first.Secret)
	refusedBy(t, check.Proof, err)
	if _, err := h.claimPairing(h.owner, second.Secret); err != nil {
		t.Error(err)
	}
}

func TestPairing_SecretIsForgottenByARestart(t *testing.T) {
	h := newHome(t, t.TempDir())
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	h.restart()
	if _, err := h.claimPairing(h.owner, p.Secret); !errors.Is(err, ErrExpiredClaim) {
		t.Errorf("got %v", err)
	}
}

// A proof is for one side of one session between two peers about one thing.
func TestClaim_ProofIsWorthNothingElsewhere(t *testing.T) {
	h := newHome(t, "")
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := access.ParseSecret(p.Secret)
	viewer, other := h.owner.PeerID(), newPeer(t).PeerID()
	for name, proof := range map[string]string{
		"none":              "",
		"another session":   access.ClaimProof(secret, access.ClaimPair, access.SideViewer, "another handshake", viewer, h.peer()),
		"another viewer":    access.ClaimProof(secret, access.ClaimPair, access.SideViewer, transcript, other, h.peer()),
		"another publisher": access.ClaimProof(secret, access.ClaimPair, access.SideViewer, transcript, viewer, other),
		"another kind":      access.ClaimProof(secret, access.ClaimInvite, access.SideViewer, transcript, viewer, h.peer()),
		"reflected":         access.ClaimProof(secret, access.ClaimPair, access.SidePublisher, transcript, viewer, h.peer()),
		"another secret":    access.ClaimProof(make([]byte, 16), access.ClaimPair, access.SideViewer, transcript, viewer, h.peer()),
	} {
		r, err := h.Claim(ClaimRequest{Kind: access.ClaimPair, Proof: proof, Transcript: transcript, Viewer: viewer})
		if errors.As(err, new(*LockedError)) {
			h.clock = h.clock.Add(time.Minute)
			r, err = h.Claim(ClaimRequest{Kind: access.ClaimPair, Proof: proof, Transcript: transcript, Viewer: viewer})
		}
		if refusedBy(t, check.Proof, err); !errors.Is(err, ErrWrongProof) || r != (ClaimResult{}) {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	if h.Owned() {
		t.Error("somebody became the owner")
	}
}

func TestClaim_NamesAreLooked(t *testing.T) {
	h := newHome(t, "")
	if _, err := h.StartPairing(false); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]ClaimRequest{
		"no viewer":      {Kind: access.ClaimPair},
		"no kind":        {Viewer: h.owner.PeerID()},
		"long name":      {Kind: access.ClaimPair, Viewer: h.owner.PeerID(), Name: strings.Repeat("x", access.MaxName+1)},
		"turned name":    {Kind: access.ClaimPair, Viewer: h.owner.PeerID(), Name: "a\u202eb"},
		"control device": {Kind: access.ClaimPair, Viewer: h.owner.PeerID(), Device: "a\nb"},
	} {
		if _, err := h.Claim(c); err == nil {
			t.Errorf("%s was taken", name)
		} else if refusedBy(t, check.Form, err); h.ClaimLockedFor(c.Viewer) != nil {
			t.Errorf("%s counts as a wrong try", name)
		}
	}
}

// guess makes a wrong claim.
func (h *home) guess(by *identity.Identity) error {
	h.t.Helper()
	_, err := h.claimPairing(by, access.NewToken())
	return err
}

// lockedFor fails the test unless a peer is locked for a time; "" for all.
func (h *home) lockedFor(peer identity.PeerID, want time.Duration) {
	h.t.Helper()
	var locked *LockedError
	if err := h.ClaimLockedFor(peer); !errors.As(err, &locked) || locked.RetryAfter != want || locked.Seconds() != int64(want/time.Second) {
		h.t.Fatalf("locked by %v; want %v", err, want)
	}
}

func TestClaim_WrongTriesLockForGrowingTimes(t *testing.T) {
	h := newHome(t, "")
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	guesser := newPeer(t)
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want *= time.Minute
		for range maxWrongTries {
			if h.ClaimLockedFor(guesser.PeerID()) != nil {
				t.Fatal("locked too early")
			}
			refusedBy(t, check.Proof, h.guess(guesser))
		}
		h.lockedFor(guesser.PeerID(), want)
		_, err := h.claimPairing(guesser, p.Secret)
		if refusedBy(t, check.Lock, err); h.Owned() || !strings.Contains(err.Error(), "wait") {
			t.Fatalf("the right secret was heard while locked: %v", err)
		}
		h.clock = h.clock.Add(want - time.Millisecond)
		refusedBy(t, check.Lock, h.guess(guesser))
		h.clock = h.clock.Add(time.Millisecond)
	}
	// Whoever it was gives up: it begins with a minute again.
	h.clock = h.clock.Add(longestLock + time.Second)
	for range maxWrongTries {
		refusedBy(t, check.Proof, h.guess(guesser))
	}
	h.lockedFor(guesser.PeerID(), time.Minute)
	// Somebody at the device ends it.
	if p, err = h.StartPairing(false); err != nil || h.ClaimLockedFor(guesser.PeerID()) != nil {
		t.Fatalf("%v %v", err, h.ClaimLockedFor(guesser.PeerID()))
	}
	if _, err := h.claimPairing(guesser, p.Secret); err != nil {
		t.Error(err)
	}
}

// Anybody may guess: five wrong tries keep nobody else from pairing.
func TestClaim_AStrangersTriesKeepNobodyOut(t *testing.T) {
	h := newHome(t, "")
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		guesser := newPeer(t)
		for range maxWrongTries {
			refusedBy(t, check.Proof, h.guess(guesser))
		}
		refusedBy(t, check.Lock, h.guess(guesser))
	}
	if err := h.ClaimLocked(); err != nil {
		t.Error(err)
	}
	if _, err := h.claimPairing(h.owner, p.Secret); err != nil {
		t.Error(err)
	}
}

// New keys cost nothing, and many of them lock it for all.
func TestClaim_TriesOfManyPeersLockForAll(t *testing.T) {
	h := newHome(t, "")
	p, err := h.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	var guesser *identity.Identity
	for _, want := range []time.Duration{1, 2, 4} {
		want *= time.Minute
		for i := range maxWrongTriesOfAll {
			if h.ClaimLocked() != nil {
				t.Fatal("locked too early")
			}
			if i%(maxWrongTries-1) == 0 {
				guesser = newPeer(t)
			}
			refusedBy(t, check.Proof, h.guess(guesser))
		}
		h.lockedFor("", want)
		_, err := h.claimPairing(h.owner, p.Secret)
		refusedBy(t, check.Lock, err)
		h.clock = h.clock.Add(want)
	}
}

func TestLocks_RememberFewPeers(t *testing.T) {
	var l locks
	now := time.Unix(0, 0)
	first, second := newPeer(t).PeerID(), newPeer(t).PeerID()
	for range maxWrongTries {
		l.wrong(first, now)
	}
	l.wrong(second, now)
	for i := range 2 * maxGuessers {
		l.wrong(identity.PeerID(strconv.Itoa(i)), now.Add(time.Second))
		if len(l.each) > maxGuessers {
			t.Fatalf("%d peers are remembered", len(l.each))
		}
	}
	if l.each[first] == nil || l.each[second] != nil {
		t.Error("not those who must wait are remembered")
	}
}

func TestClaim_RarelyMistypedIsNotLocked(t *testing.T) {
	h := newHome(t, "")
	for range 3 * maxWrongTries {
		if _, err := h.StartPairing(false); err != nil {
			t.Fatal(err)
		}
		refusedBy(t, check.Proof, h.guess(h.owner))
		h.clock = h.clock.Add(2 * time.Hour)
	}
}

func TestReset_ForgetsEverybody(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	guest, visitor, late := newPeer(t), newPeer(t), newPeer(t)
	g := h.grant(guest, live())
	h.as(guest, g)
	jti, secret, err := h.ConsoleInvite(live(), "Visitor", 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.claimInvite(visitor, jti, secret)
	if err != nil {
		t.Fatal(err)
	}
	waits, waitsSecret := h.invite(h.owner, access.InviteRequest{})
	ownerBefore, visitorBefore := h.as(h.owner), h.as(visitor)
	if _, err := h.RevokeHere(string(late.PeerID())); err != nil {
		t.Fatal(err)
	}
	h.changed()

	p, err := h.StartPairing(true)
	if err != nil {
		t.Fatal(err)
	}
	if !h.changed() || h.Owned() {
		t.Error("the owner is one still, or nobody was told")
	}
	for range 2 {
		_, err := h.Renew(ownerBefore)
		refusedBy(t, check.Allowed, err)
		_, err = h.Renew(visitorBefore)
		refusedBy(t, check.Revoked, err)
		h.refused(check.Allowed, h.owner)
		h.refused(check.Issuer, guest, g)
		h.refused(check.Revoked, visitor, r.Grant) // given by this very key
		if _, err := h.claimInvite(late, waits, waitsSecret); !errors.Is(err, ErrExpiredClaim) {
			t.Errorf("an invite of before: %v", err)
		}
		if s := h.State(); len(s.Owners)+len(s.Grants)+len(s.Invites)+len(s.RevokedHere) != 0 || s.List != "" || s.Home != "" {
			t.Errorf("left: %+v", s)
		}
		if h.Known(guest.PeerID()) || h.Known(h.owner.PeerID()) {
			t.Error("somebody is known")
		}
		other := newPeer(t)
		if _, err := h.claimPairing(other, p.Secret); err != nil {
			t.Fatal(err)
		}
		h.restart()
		h.as(other)
		if p, err = h.StartPairing(true); err != nil {
			t.Fatal(err)
		}
	}
}
