package trust

import (
	"errors"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

func TestInvite_TurnsIntoAGrantOnce(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	guest, thief := newPeer(t), newPeer(t)
	if h.ClaimOpen(access.ClaimInvite) {
		t.Error("open without an invite")
	}
	jti, secret := h.invite(h.owner, access.InviteRequest{Name: "Aunt", Audience: h.lists.Home(), Scope: h.until(live(), time.Hour)})
	h.restart()
	if s := h.State(); !h.ClaimOpen(access.ClaimInvite) || len(s.Invites) != 1 || s.Invites[0].ID != jti || s.Invites[0].Name != "Aunt" {
		t.Errorf("%+v", s)
	}
	r, err := h.claimInvite(guest, jti, secret)
	if err != nil || r.Role != RoleGuest || r.Home != h.lists.Home() || r.Name != "Aunt" {
		t.Fatalf("%+v %v", r, err)
	}
	for range 2 {
		_, err = h.claimInvite(thief, jti, secret)
		if refusedBy(t, check.Once, err); !errors.Is(err, ErrUsed) {
			t.Errorf("got %v", err)
		}
		if s := h.State(); len(s.Invites) != 0 || len(s.Grants) != 1 || s.Grants[0].Peer != guest.PeerID() || s.Grants[0].LastSeen != "" {
			t.Errorf("%+v", s)
		}
		if !h.Known(guest.PeerID()) {
			t.Error("the guest is not known")
		}
		h.restart()
	}
	// The answer may get lost: the publisher remembers the grant.
	for _, grants := range [][]string{nil, {r.Grant}} {
		p := h.as(guest, grants...)
		if p.Role != RoleGuest || p.Name != "Aunt" || p.Device != "phone" || !p.May(access.Live, "door") || p.May(access.PTZ, "door") || p.Pass() {
			t.Errorf("%+v", p)
		}
		if p.Expires.Unix() != h.clock.Add(time.Hour).Unix() {
			t.Errorf("expires %v", p.Expires)
		}
	}
	h.refused(check.Holder, thief, r.Grant)
}

// A guest was invited at one device of the home and goes to the other.
func TestInvite_GrantCountsInTheWholeHomeWhileItsMakerBelongsToIt(t *testing.T) {
	first, second := paired(t, ""), newHome(t, "")
	second.owner = first.owner
	second.pair(first.owner)
	second.lists = first.lists
	with := func(devices ...identity.PeerID) func(*access.List) {
		return func(l *access.List) {
			l.Publishers = []access.Publisher{}
			for _, id := range devices {
				l.Publishers = append(l.Publishers, access.Publisher{ID: id, Kind: access.KindAgent})
			}
		}
	}
	both := func(edit func(*access.List)) {
		first.put(edit)
		list := first.lists.List().Compact()
		if err := second.PutList(second.as(first.owner), list); err != nil {
			t.Fatal(err)
		}
	}
	both(with(first.peer(), second.peer()))
	guest := newPeer(t)
	jti, secret := first.invite(first.owner, access.InviteRequest{Audience: first.Home()})
	r, err := first.claimInvite(guest, jti, secret)
	if err != nil {
		t.Fatal(err)
	}
	p := second.as(guest, r.Grant)
	both(with(second.peer()))
	refusedBy(t, check.Issuer, errOnly(second.Renew(p)))
	first.as(guest) // for itself it stays good
}

func TestInvite_NobodyLearnsAnythingByGuessing(t *testing.T) {
	h := paired(t, "")
	jti, _ := h.invite(h.owner, access.InviteRequest{})
	for range 2 * maxWrongTries {
		if _, err := h.claimInvite(newPeer(t), access.NewToken(), access.NewToken()); !errors.Is(err, ErrExpiredClaim) {
			t.Fatalf("got %v", err)
		}
	}
	guesser := newPeer(t)
	for range maxWrongTries {
		_, err := h.claimInvite(guesser, jti, access.NewToken())
		refusedBy(t, check.Proof, err)
	}
	_, err := h.claimInvite(guesser, jti, access.NewToken())
	refusedBy(t, check.Lock, err)
}

func TestInvite_Expires(t *testing.T) {
	h := paired(t, "")
	jti, secret := h.invite(h.owner, access.InviteRequest{Lifetime: time.Hour})
	h.clock = h.clock.Add(time.Hour)
	_, err := h.claimInvite(newPeer(t), jti, secret)
	if refusedBy(t, check.Expiry, err); !errors.Is(err, access.ErrExpired) {
		t.Errorf("got %v", err)
	}
	if s := h.State(); len(s.Invites) != 0 || !h.ClaimOpen(access.ClaimInvite) {
		t.Errorf("it waits still, or nobody hears why it does not: %+v", s.Invites)
	}
	h.clock = h.clock.Add(inviteMemory)
	if h.ClaimOpen(access.ClaimInvite) {
		t.Error("it is remembered for ever")
	}
	h.invite(h.owner, access.InviteRequest{})
	if n := len(h.state.Load().invites); n != 1 {
		t.Errorf("%d invites are remembered", n)
	}
}

func TestInvite_IsNotTaken(t *testing.T) {
	h := paired(t, "")
	h.put(nil)
	guest, other := newPeer(t), newPeer(t)
	holder := h.grant(guest, live())
	h.as(guest, holder)
	good, secret := h.newInvite(h.owner, access.InviteRequest{})
	elsewhere, secretElsewhere := h.newInvite(h.owner, access.InviteRequest{Redeemer: other.PeerID()})
	foreign, secretForeign := h.newInvite(h.owner, access.InviteRequest{Audience: string(other.PeerID())})
	byGuest, secretByGuest := h.newInvite(guest, access.InviteRequest{})
	owning, secretOwning := h.newInvite(guest, access.InviteRequest{Owner: true})
	old, secretOld := h.newInvite(h.owner, access.InviteRequest{Lifetime: time.Second})
	h.clock = h.clock.Add(time.Second)
	owner, asGuest := h.as(h.owner), h.as(guest)
	for name, c := range map[string]struct {
		p              *Principal
		invite, secret string
		want           error
		check          check.Name
	}{
		"somebody else's":      {asGuest, good, secret, ErrInvite, ""},
		"of the console's":     {h.Console(), good, secret, ErrInvite, ""},
		"another secret":       {owner, good, secretOld, ErrInvite, ""},
		"not a secret":         {owner, good, "x", access.ErrToken, check.Form},
		"not an invite":        {owner, "x", secret, access.ErrToken, ""},
		"for another device":   {owner, elsewhere, secretElsewhere, ErrInvite, ""},
		"good elsewhere":       {owner, foreign, secretForeign, access.ErrAudience, check.Audience},
		"of one who may not":   {asGuest, byGuest, secretByGuest, access.ErrIssuer, check.Issuer},
		"owner by a guest":     {asGuest, owning, secretOwning, access.ErrIssuer, check.Issuer},
		"expired when it came": {owner, old, secretOld, access.ErrExpired, check.Expiry},
	} {
		err := h.AddInvite(c.p, c.invite, c.secret)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if got, _ := check.Of(err); c.check != "" && got != c.check {
			t.Errorf("%s: refused by %q", name, got)
		}
	}
	if s := h.State(); len(s.Invites) != 0 {
		t.Errorf("%+v", s.Invites)
	}
}

func TestInvite_TheSameAgainIsNoError(t *testing.T) {
	h := paired(t, "")
	compact, secret := h.newInvite(h.owner, access.InviteRequest{})
	for range 2 {
		if err := h.AddInvite(h.as(h.owner), compact, secret); err != nil {
			t.Fatal(err)
		}
	}
	v, _ := access.ParseInvite(compact)
	if _, err := h.claimInvite(newPeer(t), v.ID, secret); err != nil {
		t.Fatal(err)
	}
	if err := h.AddInvite(h.as(h.owner), compact, secret); !errors.Is(err, ErrUsed) {
		t.Errorf("a used one once more: %v", err)
	}
}

func TestInvite_GuestPassesOnWhatItHas(t *testing.T) {
	h := paired(t, "")
	guest, friend := newPeer(t), newPeer(t)
	compact := h.grant(guest, passable())
	p := h.as(guest, compact)
	if !p.Pass() {
		t.Error("it may not be passed on")
	}
	parent, _ := access.ParseGrant(compact)
	jti, secret := h.invite(guest, access.InviteRequest{Parent: parent})
	r, err := h.claimInvite(friend, jti, secret)
	if err != nil {
		t.Fatal(err)
	}
	if f := h.as(friend, r.Grant); !f.May(access.Live, "door") || f.Pass() {
		t.Errorf("%+v", f)
	}
	// What the guest loses the friend loses.
	h.put(revoke(access.RevokedPeer, string(guest.PeerID())))
	h.refused(check.Revoked, friend, r.Grant)
}

func TestInvite_MoreThanThereIsIsNotPassedOn(t *testing.T) {
	h := paired(t, "")
	guest := newPeer(t)
	compact := h.grant(guest, passable())
	v := access.Invite{
		Audience: string(h.peer()), ID: access.NewToken(), Issued: h.clock.Unix(), Expires: h.clock.Unix() + 60, Redeemer: h.peer(),
		Commit: access.CommitOf(make([]byte, access.TokenSize)), Proof: compact,
		Scope: access.Scope{Rights: []access.Right{access.Live, access.PTZ}, Cameras: []string{access.AnyCamera}},
	}
	wide, err := access.SignInvite(guest, v)
	if err != nil {
		t.Fatal(err)
	}
	err = h.AddInvite(h.as(guest, compact), wide, "AAAAAAAAAAAAAAAAAAAAAA")
	refusedBy(t, check.Narrowing, err)
}

func TestInvite_RevokedIssuerTakesItsInvitesAlong(t *testing.T) {
	h := paired(t, "")
	second := newPeer(t)
	h.put(addOwner(second))
	jti, secret := h.invite(second, access.InviteRequest{})
	if s := h.State(); len(s.Invites) != 1 {
		t.Errorf("%+v", s.Invites)
	}
	h.put(removeOwner(second))
	if s := h.State(); len(s.Invites) != 0 {
		t.Errorf("%+v", s.Invites)
	}
	_, err := h.claimInvite(newPeer(t), jti, secret)
	refusedBy(t, check.Issuer, err)
}

func TestInvite_ARevokedViewerGetsNothing(t *testing.T) {
	h := paired(t, "")
	guest := newPeer(t)
	jti, secret := h.invite(h.owner, access.InviteRequest{})
	owning, owningSecret := h.invite(h.owner, access.InviteRequest{Owner: true})
	h.put(revoke(access.RevokedPeer, string(guest.PeerID())))
	_, err := h.claimInvite(guest, jti, secret)
	refusedBy(t, check.Revoked, err)
	_, err = h.claimInvite(guest, owning, owningSecret)
	refusedBy(t, check.Revoked, err)
	if s := h.State(); len(s.Invites) != 2 {
		t.Errorf("an invite was used up: %+v", s.Invites)
	}
	if _, err := h.claimInvite(newPeer(t), jti, secret); err != nil {
		t.Error(err)
	}
}

func TestRemoveInvite_ByWhoeverMay(t *testing.T) {
	h := paired(t, "")
	guest, other := newPeer(t), newPeer(t)
	compact := h.grant(guest, passable())
	asGuest, asOther := h.as(guest, compact), h.as(other, h.grant(other, passable()))
	parent, _ := access.ParseGrant(compact)
	own, ownSecret := h.invite(guest, access.InviteRequest{Parent: parent})
	refusedBy(t, check.Right, h.RemoveInvite(asOther, own))
	if err := h.RemoveInvite(asGuest, own); err != nil {
		t.Error(err)
	}
	if _, err := h.claimInvite(other, own, ownSecret); !errors.Is(err, ErrExpiredClaim) {
		t.Errorf("got %v", err)
	}
	if err := h.RemoveInvite(asGuest, own); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
	for _, p := range []*Principal{h.as(h.owner), h.Console()} {
		jti, secret, err := h.ConsoleInvite(live(), "x", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.RemoveInvite(p, jti); err != nil {
			t.Error(err)
		}
		if _, err := h.claimInvite(other, jti, secret); !errors.Is(err, ErrExpiredClaim) {
			t.Errorf("got %v", err)
		}
	}
}

func TestConsoleInvite_NeedsNoOwner(t *testing.T) {
	h := newHome(t, t.TempDir())
	h.options.Cameras = func() []string { return []string{"door", "garden"} }
	h.restart()
	guest := newPeer(t)
	scope := access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.CameraOf(h.peer(), "door")}}
	jti, secret, err := h.ConsoleInvite(scope, "Neighbour", 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if s := h.State(); len(s.Invites) != 1 || s.Invites[0].Expires != h.clock.Add(2*time.Hour).Unix() || s.Invites[0].Issuer != h.peer() {
		t.Errorf("%+v", s.Invites)
	}
	r, err := h.claimInvite(guest, jti, secret)
	if err != nil || r.Name != "Neighbour" || r.Home != "" {
		t.Fatalf("%+v %v", r, err)
	}
	h.restart()
	p := h.as(guest, r.Grant)
	if got := p.Cameras([]string{"door", "garden"}); len(got) != 1 || got[0] != "door" {
		t.Errorf("sees %v", got)
	}
	// It says nothing at another publisher.
	elsewhere := newHome(t, "")
	elsewhere.refused(check.Audience, guest, r.Grant)

	says(t, errOf(h.ConsoleInvite(access.Scope{Rights: scope.Rights, Cameras: []string{access.CameraOf(h.peer(), "cellar")}}, "", 0)), ErrInvite, "cellar", "door, garden")
	says(t, errOf(h.ConsoleInvite(access.Scope{Rights: scope.Rights, Cameras: []string{access.CamerasOf(guest.PeerID())}}, "", 0)), ErrInvite)
	says(t, errOf(h.ConsoleInvite(access.Scope{}, "", 0)), access.ErrToken)
	says(t, errOf(h.ConsoleInvite(scope, "a\nb", 0)), access.ErrToken)
	says(t, errOf(h.ConsoleInvite(scope, "", 8*24*time.Hour)), access.ErrToken)
	if _, err := h.RevokeHere("neighbour"); err != nil {
		t.Error(err)
	}
	h.refused(check.Revoked, guest, r.Grant)
}

func errOf(_, _ string, err error) error { return err }

func TestOwnerInvite_MakesAnOwnerAtOnce(t *testing.T) {
	h := paired(t, t.TempDir())
	h.put(nil)
	second := newPeer(t)
	jti, secret := h.invite(h.owner, access.InviteRequest{Owner: true, Name: "Partner"})
	r, err := h.claimInvite(second, jti, secret)
	if err != nil || r.Role != RoleOwner || r.Grant != "" || r.Home != h.lists.Home() {
		t.Fatalf("%+v %v", r, err)
	}
	for range 2 {
		p := h.as(second)
		if !p.Owner() || p.Name != "Somebody" || !p.Pass() || !h.Known(second.PeerID()) {
			t.Errorf("%+v", p)
		}
		s := h.State()
		if len(s.Owners) != 1 || len(s.Pending) != 1 || s.Pending[0].ID != second.PeerID() || s.Pending[0].Inviter != h.owner.PeerID() {
			t.Errorf("%+v", s)
		}
		if v, err := access.ParseInvite(s.Pending[0].Invite); err != nil || v.ID != jti {
			t.Errorf("%v %v", v, err)
		}
		h.restart()
	}
	// It can share at once, and can neither sign lists nor make owners yet.
	guest := newPeer(t)
	h.as(guest, h.grantBy(second, guest, live()))
	h.invite(second, access.InviteRequest{})
	owning, owningSecret := h.newInvite(second, access.InviteRequest{Owner: true})
	refusedBy(t, check.Issuer, h.AddInvite(h.as(second), owning, owningSecret))
	refusedBy(t, check.ListSigner, h.PutList(h.as(second), h.sign(second, addOwner(second))))
}

// pending makes a home with an owner whom no list has.
func pending(t *testing.T, dir string) (h *home, second *identity.Identity, jti string) {
	t.Helper()
	h = paired(t, dir)
	h.put(nil)
	second = newPeer(t)
	jti, secret := h.invite(h.owner, access.InviteRequest{Owner: true})
	if _, err := h.claimInvite(second, jti, secret); err != nil {
		t.Fatal(err)
	}
	return h, second, jti
}

func TestPendingOwner_AListDecides(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(h *home, second *identity.Identity, jti string) func(*access.List)
		owner bool // still
		left  bool // still pending
	}{
		"has it": {func(_ *home, second *identity.Identity, _ string) func(*access.List) { return addOwner(second) }, true, false},
		"leaves it out": {func(*home, *identity.Identity, string) func(*access.List) {
			return func(*access.List) {}
		}, false, false},
		"was signed before": {func(h *home, _ *identity.Identity, _ string) func(*access.List) {
			return func(l *access.List) { l.Time = h.clock.Unix() - 1 }
		}, true, true},
		"revokes it, signed before": {func(h *home, second *identity.Identity, _ string) func(*access.List) {
			return func(l *access.List) {
				revoke(access.RevokedPeer, string(second.PeerID()))(l)
				l.Time = h.clock.Unix() - 1
			}
		}, false, false},
		"revokes the invite": {func(h *home, _ *identity.Identity, jti string) func(*access.List) {
			return func(l *access.List) {
				revoke(access.RevokedGrant, jti)(l)
				l.Time = h.clock.Unix() - 1
			}
		}, false, false},
	} {
		h, second, jti := pending(t, t.TempDir())
		before := h.as(second)
		h.put(c.edit(h, second, jti))
		for range 2 {
			_, err := h.Authorize(second.PeerID(), nil)
			if _, renewed := h.Renew(before); (err == nil) != c.owner || (renewed == nil) != c.owner {
				t.Errorf("%s: let in with %v, renewed with %v", name, err, renewed)
			}
			if n := len(h.State().Pending); (n == 1) != c.left {
				t.Errorf("%s: %d pending", name, n)
			}
			h.restart()
		}
	}
}

func TestPendingOwner_GoesWithWhoeverInvitedIt(t *testing.T) {
	h := paired(t, "")
	second, third := newPeer(t), newPeer(t)
	h.put(addOwner(second))
	jti, secret := h.invite(second, access.InviteRequest{Owner: true})
	if _, err := h.claimInvite(third, jti, secret); err != nil {
		t.Fatal(err)
	}
	h.as(third)
	if _, err := h.RevokeHere(string(second.PeerID())); err != nil {
		t.Fatal(err)
	}
	h.refused(check.Allowed, third)
	if s := h.State(); len(s.Pending) != 0 || len(s.Owners) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestOwnerInvite_AnOwnerStaysWhatItIs(t *testing.T) {
	h := paired(t, "")
	jti, secret := h.invite(h.owner, access.InviteRequest{Owner: true})
	if _, err := h.claimInvite(h.owner, jti, secret); err != nil {
		t.Fatal(err)
	}
	if s := h.State(); len(s.Owners) != 1 || len(s.Pending) != 0 {
		t.Errorf("%+v", s)
	}
}
