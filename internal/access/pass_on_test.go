package access

import (
	"errors"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
)

func TestPassOn_MakesWhatTheAuthorityAccepts(t *testing.T) {
	p := newPeople(t)
	a := p.at(p.camera)
	scope := Scope{Rights: []Right{Live, Talk}, Cameras: []string{CamerasOf(p.camera.PeerID())}, Pass: true, Expires: noon.Unix() + 60}
	compact, secret, err := NewInvite(p.owner, InviteRequest{Redeemer: p.camera.PeerID(), Audience: home, Name: "Gran", Scope: scope}, noon)
	if err != nil {
		t.Fatal(err)
	}
	invite := readInvite(t, compact)
	raw, err := ParseSecret(secret)
	if err != nil || CommitOf(raw) != invite.Commit {
		t.Fatalf("the secret does not fit: %v", err)
	}
	if err := a.CheckInvite(invite, noon); err != nil {
		t.Fatal(err)
	}
	held := readGrant(t, must(t)(Redeem(p.camera, invite, p.guest.PeerID(), "tablet", noon)))
	if held.Name != "Gran" || held.Device != "tablet" || held.Audience != home || held.Invite().ID != invite.ID {
		t.Errorf("the grant became %+v", held)
	}
	if err := a.Check(held, p.guest.PeerID(), noon); err != nil {
		t.Error(err)
	}
	wish, err := everything().Narrow(held.Scope)
	if err != nil {
		t.Fatal(err)
	}
	passed := readGrant(t, must(t)(PassOn(p.guest, held, Recipient{Peer: p.friend.PeerID(), Name: "Joe"}, wish, noon)))
	if err := a.Check(passed, p.friend.PeerID(), noon); err != nil || passed.Parent().ID != held.ID {
		t.Error("passed on:", err)
	}
	compact, _, err = NewInvite(p.guest, InviteRequest{Redeemer: p.recorder.PeerID(), Scope: wish, Parent: held, Lifetime: time.Hour}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.at(p.recorder).CheckInvite(readInvite(t, compact), noon); err != nil {
		t.Error("invited by a guest:", err)
	}
}

func TestPassOn_RefusesToGiveMore(t *testing.T) {
	p := newPeople(t)
	narrow := Scope{Rights: []Right{Live}, Cameras: []string{AnyCamera}, Pass: true}
	held := handMade(t, p.owner, Grant{Holder: p.guest.PeerID(), Scope: narrow})
	to := Recipient{Peer: p.friend.PeerID()}
	_, err := PassOn(p.guest, held, to, everything(), noon)
	refusedBy(t, "a wider grant", err, ErrScope, check.Narrowing)
	_, _, err = NewInvite(p.guest, InviteRequest{Redeemer: p.camera.PeerID(), Scope: everything(), Parent: held}, noon)
	refusedBy(t, "a wider invite", err, ErrScope, check.Narrowing)
	if _, err = PassOn(p.friend, held, to, narrow, noon); !errors.Is(err, ErrHolder) {
		t.Error("by somebody else:", err)
	}
	narrow.Pass = false
	if _, err = PassOn(p.guest, handMade(t, p.owner, Grant{Holder: p.guest.PeerID(), Scope: narrow}), to, narrow, noon); !errors.Is(err, ErrScope) {
		t.Error("a grant that may not be passed on:", err)
	}
	if _, _, err = NewInvite(p.owner, InviteRequest{Redeemer: p.camera.PeerID(), Scope: narrow, Lifetime: MaxInviteLifetime + time.Second}, noon); !errors.Is(err, ErrToken) {
		t.Error("an invite for more than a week:", err)
	}
}

func TestRedeem_IsForTheRedeemerAndGuestsOnly(t *testing.T) {
	p := newPeople(t)
	invite := handMadeInvite(t, p.owner, Invite{Redeemer: p.camera.PeerID()})
	if _, err := Redeem(p.recorder, invite, p.guest.PeerID(), "", noon); err == nil {
		t.Error("another publisher redeemed it")
	}
	owner, _, err := NewInvite(p.owner, InviteRequest{Redeemer: p.camera.PeerID(), Audience: home, Owner: true}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Redeem(p.camera, readInvite(t, owner), p.guest.PeerID(), "", noon); err == nil {
		t.Error("an invite that makes an owner made a grant")
	}
}
