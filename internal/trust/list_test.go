package trust

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
)

func TestPutList_OnlyOwnersBringWhatOwnersSigned(t *testing.T) {
	h := paired(t, t.TempDir())
	guest, stranger := newPeer(t), newPeer(t)
	admin := h.as(guest, h.grant(guest, access.Scope{Rights: access.AllRights(), Cameras: []string{access.AnyCamera}}))
	first := h.sign(h.owner, nil)
	refusedBy(t, check.Right, h.PutList(admin, first))
	refusedBy(t, check.Right, h.PutList(h.Console(), first))
	refusedBy(t, check.ListSigner, h.PutList(h.as(h.owner), h.sign(stranger, addOwner(stranger))))
	if err := h.PutList(h.as(h.owner), "x"); !errors.Is(err, access.ErrToken) {
		t.Errorf("got %v", err)
	}
	h.changed()
	for range 2 {
		if err := h.PutList(h.as(h.owner), first); err != nil {
			t.Fatal(err)
		}
	}
	h.learn(first)
	second := h.sign(h.owner, addOwner(guest))
	if err := h.PutList(h.as(h.owner), second); err != nil {
		t.Fatal(err)
	}
	h.learn(second)
	if !h.changed() {
		t.Error("nobody was told")
	}
	refusedBy(t, check.ListVersion, h.PutList(h.as(h.owner), first))
	for range 2 {
		s := h.State()
		if s.Home != h.lists.Home() || h.Home() != s.Home || s.Version != 2 || s.List != second || s.Conflict || len(s.Owners) != 2 {
			t.Errorf("%+v", s)
		}
		h.as(guest)
		h.restart()
	}
}

func TestPutList_AnOwnerWhoIsNoneAnyMore(t *testing.T) {
	h := paired(t, "")
	second := newPeer(t)
	h.put(addOwner(second))
	before := h.as(second)
	list := h.sign(second, nil)
	h.put(removeOwner(second))
	refusedBy(t, check.Right, h.PutList(before, list))
	refusedBy(t, check.Revoked, errOnly(h.Renew(before)))
}

func errOnly(_ *Principal, err error) error { return err }

func TestPutList_WithoutAnOwner(t *testing.T) {
	h := newHome(t, "")
	h.lists = access.NewListState(h.owner.PeerID())
	forged := &Principal{Role: RoleOwner, Peer: h.owner.PeerID()}
	refusedBy(t, check.Right, h.PutList(forged, h.sign(h.owner, nil)))
}

// Two owners sign different lists that do not know of each other: what either
// took away is away, until one who has seen both signs the next.
func TestPutList_TwoOwnersInAFork(t *testing.T) {
	h := paired(t, t.TempDir())
	second, guestA, guestB := newPeer(t), newPeer(t), newPeer(t)
	h.put(addOwner(second))
	a, b := h.grant(guestA, live()), h.grant(guestB, live())
	h.as(guestA, a)
	inB := h.as(guestB, b)
	fork, first := h.lists, h.lists.List().Compact()
	one := h.signFrom(fork, h.owner, revoke(access.RevokedPeer, string(guestA.PeerID())))
	two := h.signFrom(fork, second, revoke(access.RevokedGrant, jtiOf(t, b)))
	for _, list := range []string{one, two} {
		if err := h.PutList(h.as(h.owner), list); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		refusedBy(t, check.Revoked, errOnly(h.Renew(inB)))
		h.refused(check.Revoked, guestA, a)
		h.refused(check.Revoked, guestB, b)
		s := h.State()
		if !s.Conflict || len(s.Carried) != 1 || s.List != one || !remembers(s, first, one, two) || len(s.Owners) != 2 {
			t.Errorf("%+v", s)
		}
		h.restart()
	}
	h.learn(one)
	h.learn(two)
	h.put(nil)
	if s := h.State(); s.Conflict || len(s.Carried) != 0 || s.Version != 3 {
		t.Errorf("%+v", s)
	}
	h.refused(check.Revoked, guestA, a)
	h.refused(check.Revoked, guestB, b)
}

// A third owner's device has met both lists. In whichever order they come, the one
// who was an owner first stays.
func TestPutList_TwoOwnersWhoRemoveEachOther(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		h := paired(t, t.TempDir())
		junior, third := newPeer(t), newPeer(t)
		h.put(addOwner(junior))
		h.put(addOwner(third))
		before := h.as(junior)
		lists := []string{h.sign(h.owner, removeOwner(junior)), h.sign(junior, removeOwner(h.owner))}
		for _, i := range order {
			if err := h.PutList(h.as(third), lists[i]); err != nil && i == 0 {
				t.Errorf("in the order %v: %v", order, err)
			}
		}
		for range 2 {
			h.as(h.owner)
			h.as(third)
			h.refused(check.Revoked, junior)
			refusedBy(t, check.Revoked, errOnly(h.Renew(before)))
			if s := h.State(); len(s.Owners) != 2 || s.List != lists[0] {
				t.Errorf("in the order %v: %+v", order, s)
			}
			h.restart()
		}
	}
}

func TestPutList_InForceThoughTheDiskIsFull(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	guest := newPeer(t)
	g := h.grant(guest, live())
	p := h.as(guest, g)
	full := errors.New("no space left on device")
	write := h.store.write
	h.store.write = func(string, []byte) error { return full }
	list := h.sign(h.owner, revoke(access.RevokedPeer, string(guest.PeerID())))
	err := h.PutList(h.as(h.owner), list)
	if !errors.Is(err, ErrNotKept) || !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
	refusedBy(t, check.Revoked, errOnly(h.Renew(p)))
	if err := h.PutList(h.as(h.owner), list); !errors.Is(err, ErrNotKept) {
		t.Errorf("the same list again: %v; it is not kept still", err)
	}
	h.store.write = write
	if err := h.PutList(h.as(h.owner), list); err != nil {
		t.Fatal(err)
	}
	h.restart()
	h.refused(check.Revoked, guest, g)
}

func TestRetry_WritesDownWhatAFullDiskRefused(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	guest := newPeer(t)
	g := h.grant(guest, live())
	h.as(guest, g)
	jti, _ := h.invite(h.owner, access.InviteRequest{Scope: live()})
	if err := h.Retry(); err != nil {
		t.Errorf("nothing to write: %v", err)
	}
	full := errors.New("no space left on device")
	write := h.store.write
	h.store.write = func(string, []byte) error { return full }
	list := h.sign(h.owner, revoke(access.RevokedPeer, string(guest.PeerID())))
	if err := h.PutList(h.as(h.owner), list); !errors.Is(err, ErrNotKept) {
		t.Fatal(err)
	}
	if err := h.RemoveInvite(h.as(h.owner), jti); !errors.Is(err, ErrNotKept) {
		t.Fatal(err)
	}
	if err := h.Retry(); !errors.Is(err, ErrNotKept) || !errors.Is(err, full) {
		t.Errorf("the disk is full still: %v", err)
	}
	h.store.write = write
	if err := h.Retry(); err != nil {
		t.Fatal(err)
	}
	h.restart()
	h.refused(check.Revoked, guest, g)
	if n := len(h.State().Invites); n != 0 {
		t.Errorf("%d invites are back", n)
	}
}

// remembers reports whether a state shows these lists and no others, the oldest
// first.
func remembers(s AccessState, lists ...string) bool {
	version := func(compact string) int64 {
		l, err := access.ParseList(compact)
		if err != nil {
			return 0
		}
		return l.Version
	}
	sorted := slices.IsSortedFunc(s.Lists, func(a, b string) int { return cmp.Compare(version(a), version(b)) })
	return sorted && len(s.Lists) == len(lists) && !slices.ContainsFunc(lists, func(l string) bool { return !slices.Contains(s.Lists, l) })
}

// A junior owner removes the senior, and signs on. The senior is let in to answer,
// and for nothing else.
func TestPutList_ASeniorOwnerWhoWasRemovedAnswers(t *testing.T) {
	h := paired(t, t.TempDir())
	junior := newPeer(t)
	h.put(addOwner(junior))
	fork, watching := h.lists, h.as(h.owner)
	for i := range 40 {
		edit := removeOwner(h.owner)
		if i > 0 {
			edit = nil
		}
		compact := h.sign(junior, edit)
		if err := h.PutList(h.as(junior), compact); err != nil {
			t.Fatal(err)
		}
		h.learn(compact)
	}
	h.restart()
	p, err := h.Renew(watching)
	if err != nil || p.Role != RoleDisputing {
		t.Fatalf("%+v, %v", p, err)
	}
	if p = h.as(h.owner); p.Role != RoleDisputing || !p.MayDispute() || p.Owner() || p.Pass() || len(p.Cameras([]string{"door"})) != 0 ||
		p.May(access.Live, "") || p.May(access.Admin, "") {
		t.Errorf("the senior may %+v", p)
	}
	if same, err := h.Renew(p); same != p || err != nil {
		t.Errorf("renewed: %+v, %v", same, err)
	}
	s := h.State().Disputed()
	if len(s.Lists) == 0 || len(s.Grants)+len(s.Invites)+len(s.Owners)+len(s.Pending) != 0 {
		t.Errorf("shown: %+v", s)
	}
	compact, secret := h.newInvite(h.owner, access.InviteRequest{})
	refusedBy(t, check.Issuer, h.AddInvite(p, compact, secret))
	refusedBy(t, check.ListVersion, h.PutList(p, h.lists.Remembered()[0].Compact()))
	if err := h.PutList(p, h.signFrom(fork, h.owner, removeOwner(junior))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if p := h.as(h.owner); !p.Owner() || p.MayDispute() {
			t.Errorf("the senior is %+v", p)
		}
		h.refused(check.Revoked, junior)
		h.restart()
	}
}

func TestPutList_NobodyElseDisputes(t *testing.T) {
	h := paired(t, "")
	junior, third := newPeer(t), newPeer(t)
	h.put(addOwner(junior))
	h.put(addOwner(third))
	fork := h.lists
	h.put(removeOwner(third))
	h.refused(check.Revoked, third) // by somebody more senior
	forged := &Principal{Role: RoleDisputing, Peer: third.PeerID(), dispute: true}
	refusedBy(t, check.Right, h.PutList(forged, h.signFrom(fork, third, nil)))
	compact := h.sign(junior, removeOwner(h.owner))
	if err := h.PutList(h.as(junior), compact); err != nil {
		t.Fatal(err)
	}
	p := h.as(h.owner)
	if _, err := h.RevokeHere(string(h.owner.PeerID())); err != nil {
		t.Fatal(err)
	}
	h.refused(check.Revoked, h.owner) // whoever holds the device has the last word
	refusedBy(t, check.Right, h.PutList(p, h.signFrom(fork, h.owner, removeOwner(junior))))
}

// An old list that changes nothing is remembered all the same: what is made of it
// counts then.
func TestPutList_KeepsAnOldListForWhatIsMadeOfIt(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	second := h.sign(h.owner, nil)
	h.learn(second)
	made := h.sign(h.owner, nil)
	if err := h.PutList(h.as(h.owner), made); err != nil {
		t.Fatal(err)
	}
	refusedBy(t, check.ListVersion, h.PutList(h.as(h.owner), second))
	h.restart()
	if s := h.State(); !slices.Contains(s.Lists, second) || s.List != made || s.Conflict {
		t.Errorf("%d lists, conflict %v", len(s.Lists), s.Conflict)
	}
}

func TestState_ShowsGrantsThatCanBeRead(t *testing.T) {
	h := paired(t, "")
	guest := newPeer(t)
	g := h.grant(guest, live())
	h.as(guest, g)
	if s := h.State(); len(s.Grants) != 1 || s.Grants[0].Grant != g {
		t.Errorf("%+v", s.Grants)
	}
}
