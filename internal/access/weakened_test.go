//go:build weakened

package access

import (
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Each attack is refused by one check alone: with that one switched off it
// succeeds, and with all others switched off it does not.
func TestChecks_EachStandsAlone(t *testing.T) {
	p := newPeople(t)
	guest, friend := p.guest.PeerID(), p.friend.PeerID()
	live := Scope{Rights: []Right{Live}, Cameras: []string{AnyCamera}, Pass: true}
	held := handMade(t, p.owner, Grant{Holder: guest, Scope: live})
	grant, _, _ := samples(t, p)
	f := newFamily(t)
	f.sign("2", ann, "1", revoking(1))
	f.sign("2 stranger", dan, "1", f.without(ann), f.with(dan))
	judged := func(g Grant, by *identity.Identity, shown identity.PeerID, revoked ...string) func() error {
		grant := handMade(t, by, g)
		a := p.at(p.camera)
		a.Revoked = func(_, id string) bool { return slices.Contains(revoked, id) }
		return func() error { return a.Check(grant, shown, noon) }
	}
	ended := live
	ended.Expires = noon.Unix()
	attacks := map[check.Name]func() error{
		check.Sender: func() error {
			_, err := ParseGrant(resign(t, p.stranger, GrantType, grant, member("name", `"x"`)))
			return err
		},
		check.Issuer:    judged(Grant{Holder: guest, Scope: live}, p.stranger, guest),
		check.Holder:    judged(Grant{Holder: guest, Scope: live}, p.owner, friend),
		check.Audience:  judged(Grant{Holder: guest, Scope: live, Audience: string(p.recorder.PeerID())}, p.owner, guest),
		check.Expiry:    judged(Grant{Holder: guest, Scope: ended}, p.owner, guest),
		check.Revoked:   judged(Grant{Holder: guest, Scope: live}, p.owner, guest, string(guest)),
		check.Narrowing: judged(Grant{Holder: friend, Scope: everything(), Proof: held.Compact()}, p.guest, friend),
		check.ListSigner: func() error {
			s := NewListState(f.ids[ann].PeerID())
			s, _ = s.Accept(f.lists["1"])
			s, err := s.Accept(f.lists["2 stranger"])
			if err == nil && !s.IsOwner(f.ids[dan].PeerID()) {
				t.Error("the stranger's list is accepted, and does nothing")
			}
			return err
		},
		check.ListVersion: func() error {
			s := NewListState(f.ids[ann].PeerID())
			s, _ = s.Accept(f.lists["1"])
			s, _ = s.Accept(f.lists["2"])
			s, err := s.Accept(f.lists["1"])
			if err == nil && s.Revoked(RevokedGrant, jti(1)) {
				t.Error("the old list is accepted, and does nothing")
			}
			return err
		},
	}
	for name, attack := range attacks {
		t.Setenv(check.Variable, "")
		if by, _ := check.Of(attack()); by != name {
			t.Errorf("%s: refused by %q", name, by)
		}
		t.Setenv(check.Variable, string(name))
		if err := attack(); err != nil {
			t.Errorf("%s: switched off, and still refused: %v", name, err)
		}
		others := ""
		for other := range attacks {
			if other != name {
				others += "," + string(other)
			}
		}
		t.Setenv(check.Variable, others)
		if attack() == nil {
			t.Errorf("%s: the others switched off, and not refused", name)
		}
	}
}
