package access

import (
	"errors"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// handMade signs a grant without asking whether its parent allows it.
func handMade(t testing.TB, id *identity.Identity, g Grant) *Grant {
	t.Helper()
	if g.Audience == "" {
		g.Audience = home
	}
	if len(g.Scope.Rights) == 0 {
		g.Scope = everything()
	}
	g.ID, g.Issued = NewToken(), noon.Unix()
	return readGrant(t, must(t)(SignGrant(id, g)))
}

func handMadeInvite(t testing.TB, id *identity.Identity, v Invite) *Invite {
	t.Helper()
	if v.Audience == "" {
		v.Audience = home
	}
	if len(v.Scope.Rights) == 0 {
		v.Scope = everything()
	}
	if v.Expires == 0 {
		v.Expires = noon.Unix() + 3600
	}
	v.ID, v.Commit, v.Issued = NewToken(), HashOf("secret"), noon.Unix()-3600
	return readInvite(t, must(t)(SignInvite(id, v)))
}

func TestAuthority_ChecksEveryLinkOfAChain(t *testing.T) {
	p := newPeople(t)
	guest, friend, camera, recorder := p.guest.PeerID(), p.friend.PeerID(), p.camera.PeerID(), p.recorder.PeerID()
	live := Scope{Rights: []Right{Live}, Cameras: []string{CameraOf(camera, "door")}}
	passed := live
	passed.Pass = true
	until := func(s Scope, at time.Time) Scope { s.Expires = at.Unix(); return s }
	made := func(id *identity.Identity, holder identity.PeerID, s Scope, parent *Grant) *Grant {
		g := Grant{Holder: holder, Scope: s}
		if parent != nil {
			g.Proof = parent.Compact()
		}
		return handMade(t, id, g)
	}
	fromOwner := made(p.owner, guest, passed, nil)
	fromStranger := made(p.stranger, guest, passed, nil)
	invite := handMadeInvite(t, p.owner, Invite{Redeemer: camera, Scope: passed})
	redeemed := handMade(t, p.camera, Grant{Holder: guest, Scope: passed, Proof: invite.Compact()})
	console := handMadeInvite(t, p.camera, Invite{Redeemer: camera, Audience: string(camera), Scope: passed})
	atConsole := handMade(t, p.camera, Grant{Holder: guest, Audience: string(camera), Scope: passed, Proof: console.Compact()})
	tests := []struct {
		name   string
		at     *identity.Identity
		grant  *Grant
		holder identity.PeerID
		want   error
		by     check.Name
	}{
		{"by the owner", p.camera, fromOwner, guest, nil, ""},
		{"by the owner, at the recorder", p.recorder, fromOwner, guest, nil, ""},
		{"shown by somebody else", p.camera, fromOwner, friend, ErrHolder, check.Holder},
		{"by a stranger", p.camera, fromStranger, guest, ErrIssuer, check.Issuer},
		{"by the holder", p.camera, made(p.guest, guest, passed, nil), guest, ErrIssuer, check.Issuer},
		{"for another home", p.camera, handMade(t, p.owner, Grant{Holder: guest, Audience: "BBBBBBBBBBBBBBBBBBBBBA"}), guest, ErrAudience, check.Audience},
		{"for the recorder only, there", p.recorder, handMade(t, p.owner, Grant{Holder: guest, Audience: string(recorder)}), guest, nil, ""},
		{"for the recorder only, at the camera", p.camera, handMade(t, p.owner, Grant{Holder: guest, Audience: string(recorder)}), guest, ErrAudience, check.Audience},
		{"a second before its end", p.camera, made(p.owner, guest, until(live, noon.Add(time.Second)), nil), guest, nil, ""},
		{"at its end", p.camera, made(p.owner, guest, until(live, noon), nil), guest, ErrExpired, check.Expiry},
		{"passed on", p.camera, made(p.guest, friend, live, fromOwner), friend, nil, ""},
		{"passed on twice", p.camera, made(p.friend, p.stranger.PeerID(), live, made(p.guest, friend, passed, fromOwner)), p.stranger.PeerID(), nil, ""},
		{"passed on by another than its holder", p.camera, made(p.stranger, friend, live, fromOwner), friend, ErrIssuer, check.Issuer},
		{"passed on from a stranger's", p.camera, made(p.guest, friend, live, fromStranger), friend, ErrIssuer, check.Issuer},
		{"passed on although it may not be", p.camera, made(p.guest, friend, live, made(p.owner, guest, live, nil)), friend, ErrScope, check.Narrowing},
		{"passed on twice although once was allowed", p.camera,
			made(p.friend, p.stranger.PeerID(), live, made(p.guest, friend, live, fromOwner)), p.stranger.PeerID(), ErrScope, check.Narrowing},
		{"widened", p.camera, made(p.guest, friend, everything(), fromOwner), friend, ErrScope, check.Narrowing},
		{"widened in the middle", p.camera, made(p.friend, p.stranger.PeerID(), live, made(p.guest, friend, everything(), fromOwner)), p.stranger.PeerID(), ErrScope, check.Narrowing},
		{"outlives its parent", p.camera, made(p.guest, friend, live, made(p.owner, guest, until(passed, noon.Add(time.Hour)), nil)), friend, ErrScope, check.Narrowing},
		{"its parent has ended", p.camera, made(p.guest, friend, until(live, noon.Add(-time.Hour)), made(p.owner, guest, until(passed, noon), nil)), friend, ErrExpired, check.Expiry},
		{"for more places than its parent", p.recorder, made(p.guest, friend, live,
			handMade(t, p.owner, Grant{Holder: guest, Audience: string(camera)})), friend, ErrAudience, check.Audience},
		{"of an invite", p.camera, redeemed, guest, nil, ""},
		{"of an invite, at the recorder", p.recorder, redeemed, guest, nil, ""},
		{"of an invite, by another publisher", p.camera, handMade(t, p.recorder, Grant{Holder: guest, Scope: passed, Proof: invite.Compact()}), guest, ErrIssuer, check.Issuer},
		{"of an invite, by its guest", p.camera, handMade(t, p.guest, Grant{Holder: guest, Scope: passed, Proof: invite.Compact()}), guest, ErrIssuer, check.Issuer},
		{"of an invite, widened", p.camera, handMade(t, p.camera, Grant{Holder: guest, Proof: invite.Compact()}), guest, ErrScope, check.Narrowing},
		{"of an invite that may not be passed on", p.camera, handMade(t, p.camera, Grant{Holder: guest, Scope: live,
			Proof: handMadeInvite(t, p.owner, Invite{Redeemer: camera, Scope: live}).Compact()}), guest, nil, ""},
		{"of an invite that had ended", p.camera, handMade(t, p.camera, Grant{Holder: guest, Scope: live,
			Proof: handMadeInvite(t, p.owner, Invite{Redeemer: camera, Expires: noon.Unix()}).Compact()}), guest, ErrExpired, check.Expiry},
		{"of an invite that makes an owner", p.camera, handMade(t, p.camera, Grant{Holder: guest,
			Proof: handMadeInvite(t, p.owner, Invite{Redeemer: camera, Owner: true}).Compact()}), guest, ErrScope, check.Narrowing},
		{"of a stranger's invite", p.camera, handMade(t, p.camera, Grant{Holder: guest,
			Proof: handMadeInvite(t, p.stranger, Invite{Redeemer: camera}).Compact()}), guest, ErrIssuer, check.Issuer},
		{"of a guest's invite", p.camera, handMade(t, p.camera, Grant{Holder: friend, Scope: live,
			Proof: handMadeInvite(t, p.guest, Invite{Redeemer: camera, Scope: live, Proof: redeemed.Compact()}).Compact()}), friend, nil, ""},
		{"by the publisher", p.camera, handMade(t, p.camera, Grant{Holder: guest, Audience: string(camera)}), guest, nil, ""},
		{"by the publisher for its home", p.camera, handMade(t, p.camera, Grant{Holder: guest}), guest, ErrIssuer, check.Issuer},
		{"by another publisher", p.recorder, handMade(t, p.camera, Grant{Holder: guest, Audience: string(recorder)}), guest, ErrIssuer, check.Issuer},
		{"of the console's invite", p.camera, atConsole, guest, nil, ""},
		{"of the console's invite, elsewhere", p.recorder, atConsole, guest, ErrAudience, check.Audience},
	}
	for _, tt := range tests {
		err := p.at(tt.at).Check(tt.grant, tt.holder, noon)
		if tt.want == nil && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if tt.want != nil {
			refusedBy(t, tt.name, err, tt.want, tt.by)
		}
	}
}

func TestAuthority_AnyRevocationInTheChainEndsIt(t *testing.T) {
	p := newPeople(t)
	invite := handMadeInvite(t, p.owner, Invite{Redeemer: p.camera.PeerID()})
	parent := handMade(t, p.camera, Grant{Holder: p.guest.PeerID(), Proof: invite.Compact()})
	g := handMade(t, p.guest, Grant{Holder: p.friend.PeerID(), Proof: parent.Compact()})
	a := p.at(p.camera)
	for what, r := range map[string]Revocation{
		"the grant":                {Kind: RevokedGrant, ID: g.ID},
		"its parent":               {Kind: RevokedGrant, ID: parent.ID},
		"the invite":               {Kind: RevokedGrant, ID: invite.ID},
		"the holder":               {Kind: RevokedPeer, ID: string(p.friend.PeerID())},
		"who passed it on":         {Kind: RevokedPeer, ID: string(p.guest.PeerID())},
		"the publisher that gave":  {Kind: RevokedPeer, ID: string(p.camera.PeerID())},
		"the owner, as they leave": {Kind: RevokedPeer, ID: string(p.owner.PeerID())},
	} {
		a.Revoked = func(kind, id string) bool { return kind == r.Kind && id == r.ID }
		refusedBy(t, what, a.Check(g, p.friend.PeerID(), noon), ErrRevoked, check.Revoked)
	}
	a.Revoked = func(kind, id string) bool {
		return kind == RevokedGrant && id == string(p.friend.PeerID()) || id == NewToken()
	}
	if err := a.Check(g, p.friend.PeerID(), noon); err != nil {
		t.Error("something else was revoked, and yet:", err)
	}
	if err := a.Check(handMade(t, p.owner, Grant{Holder: p.friend.PeerID()}), p.friend.PeerID(), noon); err != nil {
		t.Error("a second grant of the same person falls with the first:", err)
	}
}

func TestAuthority_WithoutAListAndOwnersNothingPasses(t *testing.T) {
	p := newPeople(t)
	a := Authority{Publisher: p.camera.PeerID()}
	g := handMade(t, p.owner, Grant{Holder: p.guest.PeerID(), Audience: string(p.camera.PeerID())})
	refusedBy(t, "no owners", a.Check(g, p.guest.PeerID(), noon), ErrIssuer, check.Issuer)
	refusedBy(t, "no home", a.Check(handMade(t, p.owner, Grant{Holder: p.guest.PeerID()}), p.guest.PeerID(), noon), ErrAudience, check.Audience)
}

func TestAuthority_CheckInviteKnowsWhatCanBeRedeemedHere(t *testing.T) {
	p := newPeople(t)
	camera := p.camera.PeerID()
	held := handMade(t, p.owner, Grant{Holder: p.guest.PeerID(), Scope: Scope{Rights: []Right{Live}, Cameras: []string{AnyCamera}, Pass: true}})
	live := Scope{Rights: []Right{Live}, Cameras: []string{AnyCamera}}
	tests := []struct {
		name   string
		invite *Invite
		want   error
		by     check.Name
	}{
		{"by the owner", handMadeInvite(t, p.owner, Invite{Redeemer: camera}), nil, ""},
		{"by the console", handMadeInvite(t, p.camera, Invite{Redeemer: camera, Audience: string(camera)}), nil, ""},
		{"by the console for the home", handMadeInvite(t, p.camera, Invite{Redeemer: camera}), ErrIssuer, check.Issuer},
		{"by a guest", handMadeInvite(t, p.guest, Invite{Redeemer: camera, Scope: live, Proof: held.Compact()}), nil, ""},
		{"by a guest, widened", handMadeInvite(t, p.guest, Invite{Redeemer: camera, Proof: held.Compact()}), ErrScope, check.Narrowing},
		{"by a guest, unproved", handMadeInvite(t, p.guest, Invite{Redeemer: camera, Scope: live}), ErrIssuer, check.Issuer},
		{"with a guest's proof", handMadeInvite(t, p.friend, Invite{Redeemer: camera, Scope: live, Proof: held.Compact()}), ErrIssuer, check.Issuer},
		{"redeemed elsewhere", handMadeInvite(t, p.owner, Invite{Redeemer: p.recorder.PeerID()}), ErrAudience, check.Audience},
		{"at its end", handMadeInvite(t, p.owner, Invite{Redeemer: camera, Expires: noon.Unix()}), ErrExpired, check.Expiry},
		{"for a grant that has ended", handMadeInvite(t, p.owner, Invite{Redeemer: camera,
			Scope: Scope{Rights: []Right{Live}, Cameras: []string{AnyCamera}, Expires: noon.Unix()}}), ErrExpired, check.Expiry},
		{"an owner makes an owner", handMadeInvite(t, p.owner, Invite{Redeemer: camera, Owner: true}), nil, ""},
		{"a guest makes an owner", handMadeInvite(t, p.guest, Invite{Redeemer: camera, Owner: true, Scope: live, Proof: held.Compact()}), ErrIssuer, check.Issuer},
		{"the console makes an owner", handMadeInvite(t, p.camera, Invite{Redeemer: camera, Audience: string(camera), Owner: true}), ErrIssuer, check.Issuer},
	}
	for _, tt := range tests {
		err := p.at(p.camera).CheckInvite(tt.invite, noon)
		if tt.want == nil && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if tt.want != nil {
			refusedBy(t, tt.name, err, tt.want, tt.by)
		}
	}
}

func TestParseGrant_ChainsAreShort(t *testing.T) {
	p := newPeople(t)
	scope := Scope{Rights: []Right{Live}, Cameras: []string{AnyCamera}, Pass: true}
	proof := handMadeInvite(t, p.owner, Invite{Redeemer: p.owner.PeerID(), Scope: scope}).Compact()
	for range MaxGrants {
		proof = handMade(t, p.owner, Grant{Holder: p.owner.PeerID(), Scope: scope, Proof: proof}).Compact()
	}
	if len(proof) > MaxGrant*95/100 {
		t.Errorf("the longest chain has %d bytes, and names have no room", len(proof))
	}
	_, err := PassOn(p.owner, readGrant(t, proof), Recipient{Peer: p.guest.PeerID()}, scope, noon)
	if !errors.Is(err, ErrTooLong) && !errors.Is(err, ErrToken) {
		t.Error("a chain of five tokens:", err)
	}
	four := handMade(t, p.owner, Grant{Holder: p.owner.PeerID(), Scope: scope})
	for range 2 {
		four = handMade(t, p.owner, Grant{Holder: p.owner.PeerID(), Scope: scope, Proof: four.Compact()})
	}
	_, err = PassOn(p.owner, four, Recipient{Peer: p.guest.PeerID()}, scope, noon)
	refusedBy(t, "four grants", err, ErrToken, check.Form)
}

// A device is sold with its key, and taken off the list: what it made of invites,
// or makes of them with any date, opens no other device of the home.
func TestAuthority_APublisherThatWasTakenOffTheListMakesNoGrants(t *testing.T) {
	f := newFamily(t)
	sold, kept, thief, friend := newID(t), newID(t), newID(t), newID(t)
	publishers := func(all ...*identity.Identity) func(*List) {
		return func(l *List) {
			l.Publishers = nil
			for _, id := range all {
				l.Publishers = append(l.Publishers, Publisher{ID: id.PeerID(), Kind: KindAgent})
			}
		}
	}
	f.sign("2", ann, "1", publishers(sold, kept))
	f.sign("3", ann, "2", publishers(kept))
	compact, _, err := NewInvite(f.ids[ann], InviteRequest{Redeemer: sold.PeerID(), Audience: home, Scope: everything()}, noon)
	if err != nil {
		t.Fatal(err)
	}
	g := readGrant(t, must(t)(Redeem(sold, readInvite(t, compact), thief.PeerID(), "", noon)))
	passed := readGrant(t, must(t)(PassOn(thief, g, Recipient{Peer: friend.PeerID()}, everything(), noon)))
	before, after := f.after("1", "2"), f.after("1", "2", "3")
	if err := before.Authority(kept.PeerID()).Check(g, thief.PeerID(), noon); err != nil {
		t.Error("while it is on the list:", err)
	}
	err = after.Authority(kept.PeerID()).Check(g, thief.PeerID(), noon)
	refusedBy(t, "its grant, elsewhere", err, ErrIssuer, check.Issuer)
	err = after.Authority(kept.PeerID()).Check(passed, friend.PeerID(), noon)
	refusedBy(t, "what was made of its grant, elsewhere", err, ErrIssuer, check.Issuer)
	if err := after.Authority(sold.PeerID()).Check(g, thief.PeerID(), noon); err != nil {
		t.Error("at itself:", err)
	}
}
