package trust

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// someone is a PeerID without a key.
func someone(i int) identity.PeerID {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	id := []byte(strings.Repeat("a", identity.PeerIDLen))
	id[0], id[1], id[2] = letters[i%32], letters[i/32%32], letters[i/1024%32]
	return identity.PeerID(id)
}

// grantTo makes a grant of the owner's for a PeerID.
func (h *home) grantTo(peer identity.PeerID, scope access.Scope) string {
	h.t.Helper()
	g, err := access.NewGrant(h.owner, string(h.peer()), access.Recipient{Peer: peer, Name: "Guest"}, scope, h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

func (h *home) come(peer identity.PeerID, grants ...string) {
	h.t.Helper()
	if _, err := h.Authorize(peer, grants); err != nil {
		h.t.Fatal(err)
	}
}

func TestBounds_Guests(t *testing.T) {
	h := paired(t, t.TempDir())
	loyal, lapsed := someone(0), someone(1)
	h.come(loyal, h.grantTo(loyal, live()))
	h.clock = h.clock.Add(guestWriteEvery)
	h.come(lapsed, h.grantTo(lapsed, h.until(live(), guestWriteEvery)))
	for i := 2; i < maxHolders; i++ {
		h.clock = h.clock.Add(guestWriteEvery)
		h.come(someone(i), h.grantTo(someone(i), live()))
	}
	h.come(loyal)
	// First whoever has nothing any more, then whoever was away longest.
	for i, gone := range []identity.PeerID{lapsed, someone(2), someone(3)} {
		late := someone(maxHolders + i)
		h.clock = h.clock.Add(guestWriteEvery)
		h.come(late, h.grantTo(late, live()))
		if h.state.Load().holders[gone] != nil || h.state.Load().holders[late] == nil {
			t.Errorf("%s is there still", gone)
		}
	}
	for range 2 {
		if n := len(h.state.Load().holders); n != maxHolders || !h.Known(loyal) {
			t.Errorf("%d guests are remembered", n)
		}
		files, err := os.ReadDir(filepath.Join(h.dir, grantsDir))
		if err != nil || len(files) != maxHolders {
			t.Errorf("%d files %v", len(files), err)
		}
		h.restart()
	}
}

// A guest who passes on what it has, to as many keys as it likes, drives out nobody
// whom an owner has let in, and wears out no memory card.
func TestBounds_GuestsOfGuests(t *testing.T) {
	h := paired(t, t.TempDir())
	giver := newPeer(t)
	compact := h.grant(giver, passable())
	parent, _ := access.ParseGrant(compact)
	h.as(giver, compact)
	for i := range maxHolders / 2 {
		h.come(someone(i), h.grantTo(someone(i), live()))
	}
	writes := 0
	write := h.store.write
	h.store.write = func(path string, data []byte) error {
		writes++
		return write(path, data)
	}
	h.clock = h.clock.Add(time.Hour)
	for i := maxHolders; i < 2*maxHolders; i++ {
		g, err := access.PassOn(giver, parent, access.Recipient{Peer: someone(i)}, live(), h.clock)
		if err != nil {
			t.Fatal(err)
		}
		h.come(someone(i), g)
	}
	if writes > guestWritesBurst {
		t.Errorf("%d writes in no time", writes)
	}
	for i := range maxHolders / 2 {
		if !h.Known(someone(i)) {
			t.Fatalf("guest %d was driven out", i)
		}
	}
	if n := len(h.state.Load().holders); n != maxHolders {
		t.Errorf("%d guests are remembered", n)
	}
	for i := range maxHolders {
		h.clock = h.clock.Add(guestWriteEvery)
		h.come(someone(1000+i), h.grantTo(someone(1000+i), live()))
	}
	g, err := access.PassOn(giver, parent, access.Recipient{Peer: someone(1)}, live(), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	h.come(someone(1), g) // let in, and not remembered
	if h.Known(someone(1)) || len(h.state.Load().holders) != maxHolders {
		t.Error("a guest's guest took a place of the owner's")
	}
}

func TestBounds_GrantsOfOneGuest(t *testing.T) {
	h := paired(t, t.TempDir())
	guest := someone(0)
	scope := func(i int) access.Scope {
		return access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.CameraOf(h.peer(), fmt.Sprint("cam-", i))}}
	}
	short := h.grantTo(guest, h.until(scope(100), time.Minute))
	h.come(guest, h.grantTo(guest, scope(0)), short)
	h.clock = h.clock.Add(time.Minute)
	for i := 1; i < maxGrantsEach; i++ {
		h.come(guest, h.grantTo(guest, scope(i)))
	}
	p, err := h.Authorize(guest, nil)
	if err != nil || len(p.scopes) != maxGrantsEach || !p.May(access.Live, "cam-0") {
		t.Errorf("%+v %v", p.scopes, err)
	}
	h.come(guest, h.grantTo(guest, scope(50)))
	h.restart()
	if p, err = h.Authorize(guest, nil); err != nil || len(p.scopes) != maxGrantsEach || p.May(access.Live, "cam-0") || !p.May(access.Live, "cam-50") {
		t.Errorf("%+v %v", p.scopes, err)
	}
}

func TestBounds_BytesOfGrants(t *testing.T) {
	h := paired(t, "")
	var cameras []string
	for i := range 20 {
		cameras = append(cameras, access.CameraOf(h.peer(), fmt.Sprintf("%064d", i)))
	}
	total := func() (n int) {
		for _, one := range h.state.Load().holders {
			n += one.bytes()
		}
		return n
	}
	wide := access.Scope{Rights: []access.Right{access.Live}, Cameras: cameras}
	for i := 0; ; i++ {
		before := len(h.state.Load().holders)
		var grants []string
		for range maxGrantsEach {
			grants = append(grants, h.grantTo(someone(i), wide))
		}
		h.come(someone(i), grants...)
		if total() > maxGrantBytes {
			t.Fatalf("%d bytes", total())
		}
		if len(h.state.Load().holders) <= before {
			if before < 50 {
				t.Errorf("only %d guests fit", before)
			}
			return
		}
	}
}

func TestBounds_Invites(t *testing.T) {
	h := paired(t, t.TempDir())
	guest := newPeer(t)
	compact := h.grant(guest, passable())
	parent, _ := access.ParseGrant(compact)
	asGuest := h.as(guest, compact)
	for range MaxInvitesPerGuest {
		h.invite(guest, access.InviteRequest{Parent: parent})
	}
	more, secret := h.newInvite(guest, access.InviteRequest{Parent: parent})
	if err := h.AddInvite(asGuest, more, secret); !errors.Is(err, ErrTooMany) {
		t.Errorf("a guest has one too many: %v", err)
	}
	for range MaxInvites - MaxInvitesPerGuest {
		h.invite(h.owner, access.InviteRequest{})
	}
	for range 2 {
		more, secret = h.newInvite(h.owner, access.InviteRequest{})
		if err := h.AddInvite(h.as(h.owner), more, secret); !errors.Is(err, ErrTooMany) {
			t.Errorf("one too many: %v", err)
		}
		if _, _, err := h.ConsoleInvite(live(), "", 0); !errors.Is(err, ErrTooMany) {
			t.Errorf("one too many: %v", err)
		}
		h.restart()
	}
	h.clock = h.clock.Add(access.DefaultInviteLifetime)
	h.invite(h.owner, access.InviteRequest{})
	h.invite(guest, access.InviteRequest{Parent: parent})
}

// redeemed uses an invite for a peer without a key.
func (h *home) redeemed(viewer identity.PeerID, jti, secret string) error {
	h.t.Helper()
	raw, err := access.ParseSecret(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	_, err = h.Claim(ClaimRequest{
		Kind: access.ClaimInvite, Invite: jti, Viewer: viewer,
		Proof: access.ClaimProof(raw, access.ClaimInvite, access.SideViewer, "", viewer, h.peer()),
	})
	return err
}

func TestBounds_UsedInvitesAndConsoleGuests(t *testing.T) {
	h := newHome(t, "")
	first := ""
	for i := range maxInviteRecords {
		jti, secret, err := h.ConsoleInvite(live(), "", time.Hour)
		if err != nil {
			t.Fatal(i, err)
		}
		if err := h.redeemed(someone(i), jti, secret); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = jti
		}
	}
	if _, _, err := h.ConsoleInvite(live(), "", time.Hour); !errors.Is(err, ErrTooMany) {
		t.Errorf("used ones are forgotten while they could be used again: %v", err)
	}
	h.clock = h.clock.Add(time.Hour)
	for i := maxInviteRecords; i < maxConsoleInvites; i++ {
		jti, secret, err := h.ConsoleInvite(live(), "", time.Hour)
		if err != nil {
			t.Fatal(i, err)
		}
		if err := h.redeemed(someone(i), jti, secret); err != nil {
			t.Fatal(err)
		}
	}
	h.come(someone(0)) // long after its invite is forgotten
	if _, _, err := h.ConsoleInvite(live(), "", time.Hour); !errors.Is(err, ErrTooMany) {
		t.Errorf("guests of the console have no bound: %v", err)
	}
	if _, err := h.RevokeHere(first); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		// One that nobody uses takes no place for long.
		if _, _, err := h.ConsoleInvite(live(), "", time.Hour); err != nil {
			t.Error(err)
		}
		h.clock = h.clock.Add(48 * time.Hour)
	}
}

func TestBounds_Revocations(t *testing.T) {
	h := newHome(t, "")
	for i := range maxRevokedHere {
		if _, err := h.RevokeHere(string(someone(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.RevokeHere(access.NewToken()); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
	if _, err := h.RevokeHere(string(someone(5))); err != nil {
		t.Errorf("once more: %v", err)
	}
}

func TestBounds_PendingOwners(t *testing.T) {
	h := paired(t, t.TempDir())
	for i := range access.MaxOwners {
		jti, secret := h.invite(h.owner, access.InviteRequest{Owner: true})
		err := h.redeemed(someone(i), jti, secret)
		if last := i == access.MaxOwners-1; last != errors.Is(err, ErrTooMany) {
			t.Errorf("owner %d: %v", i+2, err)
		}
	}
	h.restart()
	if n := len(h.State().Pending); n != access.MaxOwners-1 {
		t.Errorf("%d pending", n)
	}
}

func TestTrust_ManyAtOnce(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	guest := newPeer(t)
	g := h.grant(guest, live())
	owner, asGuest := h.as(h.owner), h.as(guest, g)
	next := h.sign(h.owner, revoke(access.RevokedPeer, string(guest.PeerID())))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				_, _ = h.Renew(asGuest)
				_, _ = h.Authorize(guest.PeerID(), []string{g})
				h.Known(guest.PeerID())
				h.State()
				h.ClaimOpen(access.ClaimInvite)
				if _, err := h.Renew(owner); err != nil {
					t.Error(err)
				}
			}
			switch i {
			case 0:
				if err := h.PutList(owner, next); err != nil {
					t.Error(err)
				}
			case 1, 2, 3:
				if _, _, err := h.ConsoleInvite(live(), "", 0); err != nil {
					t.Error(err)
				}
			case 4:
				if _, err := h.RevokeHere(access.NewToken()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := h.Renew(asGuest); err == nil {
		t.Error("the guest is let in")
	}
	if n := len(h.State().Invites); n != 3 {
		t.Errorf("%d invites", n)
	}
}
