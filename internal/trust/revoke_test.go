package trust

import (
	"errors"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
)

func TestRevokeHere_FindsWhoIsMeant(t *testing.T) {
	h := paired(t, "")
	h.put(nil)
	twin, other := newPeer(t), newPeer(t)
	first, second := h.grant(twin, live()), h.grant(other, h.until(live(), time.Hour))
	h.as(twin, first)
	h.as(other, second)
	jti, secret := h.invite(h.owner, access.InviteRequest{Name: "Aunt", Scope: h.until(live(), time.Minute)})

	_, err := h.RevokeHere("guest")
	says(t, err, ErrAmbiguous, string(twin.PeerID()), string(other.PeerID()), "phone")
	for _, nobody := range []string{"", "nobody", string(twin.PeerID())[:10]} {
		if _, err := h.RevokeHere(nobody); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", nobody, err)
		}
	}
	r, err := h.RevokeHere(jtiOf(t, second))
	if err != nil || r.Kind != access.RevokedGrant || r.Expires != h.clock.Add(time.Hour).Unix() || r.Time != h.clock.Unix() {
		t.Errorf("%+v %v", r, err)
	}
	// The other is the only one of that name who is left.
	if r, err := h.RevokeHere("GUEST "); err != nil || r.ID != string(twin.PeerID()) {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := h.RevokeHere("Aunt"); err != nil || r.ID != jti {
		t.Errorf("%+v %v", r, err)
	}
	_, err = h.claimInvite(newPeer(t), jti, secret)
	refusedBy(t, check.Revoked, err)
	seenElsewhere := access.NewToken()
	if r, err := h.RevokeHere(seenElsewhere); err != nil || r.Kind != access.RevokedGrant {
		t.Errorf("%+v %v", r, err)
	}
	s := h.State()
	if len(s.RevokedHere) != 4 || len(s.Invites) != 0 {
		t.Errorf("%+v", s)
	}
	// Twice is once.
	if _, err := h.RevokeHere(seenElsewhere); err != nil || len(h.State().RevokedHere) != 4 {
		t.Errorf("%v", err)
	}
	// What has ended by itself needs no revocation.
	h.clock = h.clock.Add(2 * time.Hour)
	if _, err := h.RevokeHere(access.NewToken()); err != nil || len(h.State().RevokedHere) != 4 {
		t.Errorf("%+v %v", h.State().RevokedHere, err)
	}
}

func TestRevokeHere_OwnersButNotTheLast(t *testing.T) {
	h := paired(t, t.TempDir())
	second, guest := newPeer(t), newPeer(t)
	h.put(addOwner(second))
	g := h.grantBy(second, guest, live())
	h.as(guest, g)
	p := h.as(second)
	if r, err := h.RevokeHere("Other"); err != nil || r.ID != string(second.PeerID()) {
		t.Fatalf("%+v %v", r, err)
	}
	for range 2 {
		refusedBy(t, check.Revoked, errOnly(h.Renew(p)))
		h.refused(check.Revoked, second)
		h.refused(check.Issuer, guest, g) // and what it gave
		h.put(nil)                        // no list brings it back
		if s := h.State(); len(s.Owners) != 1 {
			t.Errorf("%+v", s.Owners)
		}
		h.restart()
	}
	_, err := h.RevokeHere(string(h.owner.PeerID()))
	says(t, err, ErrOwned, "reset")
	h.as(h.owner)
}

func TestRevokeHere_PairingLetsAPeerInAgain(t *testing.T) {
	h := newHome(t, "")
	if _, err := h.RevokeHere(string(h.owner.PeerID())); err != nil {
		t.Fatal(err)
	}
	h.pair(h.owner)
	h.as(h.owner)
}

func TestRevokeHere_InForceThoughTheDiskIsFull(t *testing.T) {
	h := paired(t, t.TempDir())
	guest := newPeer(t)
	p := h.as(guest, h.grant(guest, live()))
	h.store.write = func(string, []byte) error { return errors.New("no space left on device") }
	if _, err := h.RevokeHere("Guest"); !errors.Is(err, ErrNotKept) {
		t.Errorf("got %v", err)
	}
	refusedBy(t, check.Revoked, errOnly(h.Renew(p)))
}
