package access

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// family are three owners in order of seniority, one who may become a fourth,
// and what they have signed so far.
type family struct {
	t     *testing.T
	ids   []*identity.Identity // ann, bob, cyd, dan
	lists map[string]string    // compact, by the name that a test gives it
}

const (
	ann = iota
	bob
	cyd
	dan
)

// newFamily has signed the list "1", by Ann, with Ann, Bob and Cyd.
func newFamily(t *testing.T) *family {
	f := &family{t: t, lists: map[string]string{}}
	for range 4 {
		f.ids = append(f.ids, newID(t))
	}
	f.sign("1", ann, "", func(l *List) {
		l.Home = home
		for i := ann; i <= cyd; i++ {
			l.Owners = append(l.Owners, f.owner(i))
		}
	})
	return f
}

func (f *family) owner(i int) Owner {
	return Owner{ID: f.ids[i].PeerID(), Name: fmt.Sprint("owner ", i)}
}

// sign adds a list that somebody made of another.
func (f *family) sign(name string, by int, from string, changes ...func(*List)) {
	f.t.Helper()
	l := List{Version: 1, Time: noon.Unix()}
	if from != "" {
		parent, err := ParseList(f.lists[from])
		if err != nil {
			f.t.Fatal(err)
		}
		l = *parent
		l.Version++
		l.Previous = parent.Hash()
	}
	for _, change := range changes {
		change(&l)
	}
	f.lists[name] = must(f.t)(SignList(f.ids[by], l))
}

func (f *family) without(i int) func(*List) {
	return func(l *List) {
		l.Owners = slices.DeleteFunc(slices.Clone(l.Owners), func(o Owner) bool { return o.ID == f.ids[i].PeerID() })
	}
}

func (f *family) with(i int) func(*List) {
	return func(l *List) { l.Owners = append(slices.Clone(l.Owners), f.owner(i)) }
}

// jti is the id of a grant that the tests call by a number.
func jti(n int) string { return home[:20] + string(rune('A'+n)) + "A" }

func revoking(n int) func(*List) {
	return func(l *List) {
		l.Revoked = append(slices.Clone(l.Revoked), Revocation{Kind: RevokedGrant, ID: jti(n), Time: noon.Unix()})
	}
}

func restoring(n int) func(*List) {
	return func(l *List) {
		l.Revoked = slices.DeleteFunc(slices.Clone(l.Revoked), func(r Revocation) bool { return r.ID == jti(n) })
	}
}

// after is the state once the lists have arrived in an order. A list with "!"
// before its name is expected to be refused by one of the checks.
func (f *family) after(names ...string) ListState {
	f.t.Helper()
	s := NewListState(f.ids[ann].PeerID())
	for _, name := range names {
		if name[0] != '!' {
			var err error
			if s, err = s.Accept(f.lists[name]); err != nil {
				f.t.Fatalf("%v: list %s: %v", names, name, err)
			}
			continue
		}
		before := describe(s)
		next, err := s.Accept(f.lists[name[1:]])
		if _, ok := check.Of(err); !ok || describe(next) != before {
			f.t.Fatalf("%v: list %s: %v", names, name, err)
		}
		s = next
	}
	return s
}

// expect compares what is in force.
func (f *family) expect(s ListState, list string, conflict bool, owners []int, revoked []int) {
	f.t.Helper()
	if s.List() == nil || s.List().Compact() != f.lists[list] {
		f.t.Errorf("another list than %s is in force", list)
	}
	if s.Conflict() != conflict {
		f.t.Errorf("conflict is %v", s.Conflict())
	}
	var got []int
	for _, o := range s.Owners() {
		got = append(got, slices.IndexFunc(f.ids, func(id *identity.Identity) bool { return id.PeerID() == o.ID }))
	}
	if !slices.Equal(got, owners) {
		f.t.Errorf("the owners are %v, want %v", got, owners)
	}
	for n := range 6 {
		if s.Revoked(RevokedGrant, jti(n)) != slices.Contains(revoked, n) {
			f.t.Errorf("grant %d revoked: %v", n, !slices.Contains(revoked, n))
		}
	}
}

func TestListState_BeginsWithTheOwnerWhoPaired(t *testing.T) {
	f := newFamily(t)
	s := NewListState(f.ids[ann].PeerID())
	if !s.IsOwner(f.ids[ann].PeerID()) || s.IsOwner(f.ids[bob].PeerID()) || s.List() != nil || s.Home() != "" || s.Conflict() {
		t.Errorf("%+v", s)
	}
	f.sign("foreign", bob, "1")
	_, err := s.Accept(f.lists["foreign"])
	refusedBy(t, "a first list by another", err, ErrListSigner, check.ListSigner)
	f.expect(f.after("1"), "1", false, []int{ann, bob, cyd}, nil)
	f.sign("7", ann, "1", func(l *List) { l.Version = 7 })
	f.expect(f.after("7"), "7", false, []int{ann, bob, cyd}, nil) // paired into a home that exists
}

// These are the rules of the package comment, by number.
func TestListState_RulesOfSuccession(t *testing.T) {
	t.Run("1 owners sign", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2 by dan", dan, "1")
		_, err := f.after("1").Accept(f.lists["2 by dan"])
		refusedBy(t, "a stranger's", err, ErrListSigner, check.ListSigner)
		f.sign("2", ann, "1", f.with(dan))
		f.sign("3", dan, "2", revoking(1))
		f.expect(f.after("1", "!3", "2", "3"), "3", false, []int{ann, bob, cyd, dan}, []int{1})
		f.sign("home", ann, "1", func(l *List) { l.Home = NewToken() })
		_, err = f.after("1").Accept(f.lists["home"])
		refusedBy(t, "another home's", err, ErrOtherHome, check.Audience)
	})
	t.Run("2 a successor is taken as it is", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", bob, "1", revoking(1), revoking(2), f.without(cyd))
		f.sign("3", ann, "2", restoring(1), f.with(dan))
		f.expect(f.after("1", "2"), "2", false, []int{ann, bob}, []int{1, 2})
		f.expect(f.after("1", "2", "3", "3"), "3", false, []int{ann, bob, dan}, []int{2})
	})
	t.Run("3 an older one with nothing new is refused", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", ann, "1", revoking(1))
		f.sign("3", ann, "2")
		f.sign("2 beside", bob, "1")
		f.expect(f.after("1", "2", "3", "!2", "!1", "!2 beside"), "3", false, []int{ann, bob, cyd}, []int{1})
		f.expect(f.after("1", "3", "!2"), "3", false, []int{ann, bob, cyd}, []int{1})
		_, err := f.after("1", "2").Accept(f.lists["1"])
		refusedBy(t, "the list before", err, ErrListVersion, check.ListVersion)
	})
}

func TestListState_RulesOfForks(t *testing.T) {
	t.Run("4 a fork takes away, and gives nothing", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2 ann", ann, "1", revoking(1), f.with(dan))
		f.sign("2 bob", bob, "1", revoking(2), f.without(cyd), func(l *List) { l.Publishers = nil })
		f.expect(f.after("1", "2 ann", "2 bob"), "2 ann", true, []int{ann, bob, dan}, []int{1, 2})
		f.expect(f.after("1", "2 bob", "2 ann"), "2 ann", true, []int{ann, bob, dan}, []int{1, 2})
		s := f.after("1", "2 bob", "2 ann")
		if len(s.Carried()) != 1 || len(s.RemovedOwners()) != 1 || s.RemovedOwners()[0] != f.ids[cyd].PeerID() {
			t.Errorf("carried: %v, %v", s.Carried(), s.RemovedOwners())
		}
		// Who has seen one of the two does not end it, who has seen both does.
		f.sign("3 ann", ann, "2 ann", revoking(3))
		f.expect(f.after("1", "2 bob", "2 ann", "3 ann"), "3 ann", true, []int{ann, bob, dan}, []int{1, 2, 3})
		f.lists["3 both"] = must(t)(SignList(f.ids[bob], s.Draft(noon)))
		f.expect(f.after("1", "2 bob", "2 ann", "3 both"), "3 both", false, []int{ann, bob, dan}, []int{1, 2})
		// What both have taken away can be given back after that.
		f.sign("4", ann, "3 both", restoring(2))
		f.expect(f.after("1", "2 bob", "2 ann", "3 both", "4"), "4", false, []int{ann, bob, dan}, []int{1})
	})
	t.Run("5 of unknown origin gives nothing back", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", ann, "1", revoking(1))
		f.sign("3", ann, "2", restoring(1), revoking(2))
		f.sign("4", ann, "3", revoking(1))
		f.sign("5", ann, "4", restoring(1))
		f.expect(f.after("1", "2"), "2", false, []int{ann, bob, cyd}, []int{1})
		f.sign("2'", ann, "1", revoking(1), revoking(3))
		f.expect(f.after("1", "2'", "5"), "5", true, []int{ann, bob, cyd}, []int{1, 2, 3})
		f.expect(f.after("1", "2", "4"), "4", false, []int{ann, bob, cyd}, []int{1, 2}) // nothing is missing
		f.expect(f.after("1", "2", "5"), "5", true, []int{ann, bob, cyd}, []int{1, 2})
		f.expect(f.after("1", "2", "5", "3", "!4"), "5", false, []int{ann, bob, cyd}, []int{2}) // the steps between arrive
	})
	t.Run("5 what has run out may be left out", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", ann, "1", func(l *List) {
			l.Revoked = []Revocation{{Kind: RevokedGrant, ID: jti(1), Expires: noon.Unix() + 60, Time: noon.Unix()}}
		})
		f.sign("3", ann, "2")
		f.sign("4 early", ann, "3", restoring(1), func(l *List) { l.Time += 60 })
		f.sign("4 late", ann, "3", restoring(1), func(l *List) { l.Time += 61 })
		f.expect(f.after("1", "2", "4 early"), "4 early", true, []int{ann, bob, cyd}, []int{1})
		f.expect(f.after("1", "2", "4 late"), "4 late", false, []int{ann, bob, cyd}, nil)
	})
}

func TestListState_RulesOfRemovals(t *testing.T) {
	t.Run("6 the more senior prevails", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2 ann", ann, "1", f.without(bob))
		f.sign("2 bob", bob, "1", f.without(ann), revoking(1))
		f.sign("3 bob", bob, "2 bob", revoking(2))
		f.sign("3 cyd", cyd, "2 bob", revoking(3))
		f.expect(f.after("1", "2 ann", "!2 bob", "!3 bob"), "2 ann", false, []int{ann, cyd}, nil)
		f.expect(f.after("1", "2 bob", "3 bob", "2 ann"), "2 ann", false, []int{ann, cyd}, nil)
		s := f.after("1", "2 bob")
		if !s.MayDispute(f.ids[ann].PeerID()) || s.MayDispute(f.ids[bob].PeerID()) || s.MayDispute(f.ids[dan].PeerID()) {
			t.Error("not the one who was removed may dispute it")
		}
		// Who built upon an overruled list has said the same on their own.
		f.expect(f.after("1", "2 ann", "3 cyd"), "3 cyd", true, []int{cyd}, []int{1, 3})
		f.expect(f.after("1", "2 bob", "3 cyd", "2 ann"), "3 cyd", true, []int{cyd}, []int{1, 3})
	})
	t.Run("6 whoever is not removed in turn is removed", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2 ann", ann, "1", revoking(1))
		f.sign("2 bob", bob, "1", f.without(ann))
		f.expect(f.after("1", "2 ann", "2 bob"), "2 ann", true, []int{bob, cyd}, []int{1})
		f.expect(f.after("1", "2 bob", "2 ann"), "2 ann", true, []int{bob, cyd}, []int{1})
	})
	t.Run("6 what a senior built upon stays", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2 cyd", cyd, "1", revoking(1))
		f.sign("3 ann", ann, "2 cyd", revoking(2))
		f.sign("2 bob", bob, "1", f.without(cyd))
		f.expect(f.after("1", "2 bob", "!2 cyd"), "2 bob", false, []int{ann, bob}, nil)
		f.expect(f.after("1", "2 cyd", "3 ann", "2 bob"), "3 ann", true, []int{ann, bob}, []int{1, 2})
	})
	t.Run("7 somebody remains", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", ann, "1", f.without(cyd))
		f.sign("3 ann leaves", ann, "2", f.without(ann))
		f.sign("3 bob leaves", bob, "2", f.without(bob))
		f.expect(f.after("1", "2", "3 ann leaves", "3 bob leaves"), "3 ann leaves", true, []int{bob}, nil)
		f.expect(f.after("1", "2", "3 bob leaves", "3 ann leaves"), "3 ann leaves", true, []int{bob}, nil)
	})
}

func TestListState_RulesOfOrder(t *testing.T) {
	t.Run("8 nobody becomes senior by signing so", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", bob, "1", func(l *List) { slices.Reverse(l.Owners) })
		_, err := f.after("1").Accept(f.lists["2"])
		refusedBy(t, "owners in another order", err, ErrToken, check.Form)
		f.sign("2", bob, "1", func(l *List) { l.Owners = append([]Owner{f.owner(dan)}, l.Owners...) })
		_, err = f.after("1").Accept(f.lists["2"])
		refusedBy(t, "a new owner in front", err, ErrToken, check.Form)
		f.sign("3", bob, "1", func(l *List) { l.Version = 3 })
		_, err = f.after("1").Accept(f.lists["3"])
		refusedBy(t, "a version left out", err, ErrToken, check.Form)
		f.sign("far", bob, "1", func(l *List) { l.Version, l.Previous = 1+maxJump+1, HashOf("x") })
		_, err = f.after("1").Accept(f.lists["far"])
		refusedBy(t, "a version far ahead", err, ErrToken, check.Form)
	})
	t.Run("9 after eight versions and thirty days it is over", func(t *testing.T) {
		f := newFamily(t)
		f.sign("2", bob, "1", f.without(ann))
		f.sign("2 ann", ann, "1", f.without(bob))
		names := []string{"1", "2"}
		for v := 3; v <= keptVersions+3; v++ {
			names = append(names, fmt.Sprint(v))
			f.sign(fmt.Sprint(v), bob, fmt.Sprint(v-1), revoking(0), restoring(0), func(l *List) {
				l.Time = noon.Add(disputeTime).Unix()
			})
		}
		f.expect(f.after(append(names[:keptVersions:keptVersions], "2 ann")...), "2 ann", false, []int{ann, cyd}, nil)
		s := f.after(append(names, "!2 ann")...)
		f.expect(s, names[len(names)-1], false, []int{bob, cyd}, nil)
		if s.MayDispute(f.ids[ann].PeerID()) {
			t.Error("it may be disputed for ever")
		}
		// An owner's old list still takes away.
		f.sign("2 cyd", cyd, "1", revoking(4))
		f.expect(f.after(append(names, "2 cyd", "!2")...), names[len(names)-1], true, []int{bob, cyd}, []int{4})
	})
}

func TestListState_AFloodOfListsLeavesRoomForTheOneThatEndsIt(t *testing.T) {
	f := newFamily(t)
	s := f.after("1")
	var err error
	for i := range 100 {
		f.sign(fmt.Sprint("2 bob ", i), bob, "1", func(l *List) {
			l.Revoked = []Revocation{{Kind: RevokedGrant, ID: NewToken(), Time: noon.Unix()}}
		})
		if s, err = s.Accept(f.lists[fmt.Sprint("2 bob ", i)]); err != nil {
			break
		}
	}
	refusedBy(t, "one list too many", err, ErrUnsettled, check.Form)
	f.sign("2", ann, "1", f.without(bob))
	s, err = s.Accept(f.lists["2"])
	if err != nil {
		t.Fatal(err)
	}
	f.expect(s, "2", false, []int{ann, cyd}, nil)
}

func TestListState_SurvivesARestart(t *testing.T) {
	f := newFamily(t)
	f.sign("2 ann", ann, "1", revoking(1))
	f.sign("2 bob", bob, "1", revoking(2), f.without(cyd))
	for _, s := range []ListState{NewListState(f.ids[ann].PeerID()), f.after("1"), f.after("1", "2 ann", "2 bob")} {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back ListState
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if back.root != s.root || back.Conflict() != s.Conflict() || !slices.Equal(back.Owners(), s.Owners()) ||
			!slices.Equal(back.Revocations(), s.Revocations()) || (back.List() == nil) != (s.List() == nil) {
			t.Errorf("%+v became %+v", s.view, back.view)
		}
	}
	for _, damaged := range []string{"", "{}", `{"root":"x","base":"","lists":[],"settled":[]}`, `{"root":"` + string(one) + `","base":"a.b.c","lists":[],"settled":[]}`} {
		if err := new(ListState).UnmarshalJSON([]byte(damaged)); err == nil {
			t.Errorf("%q was read", damaged)
		}
	}
}

func TestListState_DraftKeepsTheLongerRevocation(t *testing.T) {
	f := newFamily(t)
	until := func(exp int64) func(*List) {
		return func(l *List) {
			l.Revoked = []Revocation{{Kind: RevokedGrant, ID: jti(1), Expires: exp, Time: noon.Unix()}}
		}
	}
	f.sign("2 ann", ann, "1", until(noon.Unix()+60))
	f.sign("2 bob", bob, "1", until(0))
	draft := f.after("1", "2 ann", "2 bob").Draft(noon)
	if len(draft.Revoked) != 1 || draft.Revoked[0].Expires != 0 {
		t.Errorf("the draft revokes %v", draft.Revoked)
	}
	if late := f.after("1", "2 ann").Draft(noon.Add(time.Hour)); len(late.Revoked) != 0 {
		t.Errorf("what has run out is kept: %v", late.Revoked)
	}
	first := NewListState(f.ids[ann].PeerID()).Draft(noon)
	compact := must(t)(SignList(f.ids[ann], first))
	if s, err := NewListState(f.ids[ann].PeerID()).Accept(compact); err != nil || s.Home() != first.Home {
		t.Error("the first draft:", err)
	}
}

func TestListState_AuthorityFollowsTheList(t *testing.T) {
	f := newFamily(t)
	camera, guest := newID(t), newID(t)
	g := handMade(t, f.ids[bob], Grant{Holder: guest.PeerID()})
	f.sign("2", ann, "1", f.without(bob))
	f.sign("2'", ann, "1", func(l *List) {
		l.Revoked = []Revocation{{Kind: RevokedGrant, ID: g.ID, Time: noon.Unix()}}
	})
	if err := f.after("1").Authority(camera.PeerID()).Check(g, guest.PeerID(), noon); err != nil {
		t.Error(err)
	}
	if err := f.after("1", "2").Authority(camera.PeerID()).Check(g, guest.PeerID(), noon); !errors.Is(err, ErrIssuer) {
		t.Error("given by somebody who is no owner any more:", err)
	}
	if err := f.after("1", "2'").Authority(camera.PeerID()).Check(g, guest.PeerID(), noon); !errors.Is(err, ErrRevoked) {
		t.Error("revoked:", err)
	}
}

// Anybody can make another signature of one that is there: (r, n-s) is as good as
// (r, s). It is the same list.
func TestListState_AnotherSpellingOfASignatureIsTheSameList(t *testing.T) {
	f := newFamily(t)
	f.sign("2", ann, "1", revoking(1))
	f.sign("3", ann, "2")
	twin := func(compact string) string {
		parts := strings.Split(compact, ".")
		sig, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		s := new(big.Int).SetBytes(sig[32:])
		s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
		return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(sig)
	}
	for _, name := range []string{"1", "2", "3"} {
		f.lists[name+"'"] = twin(f.lists[name])
		if f.lists[name+"'"] == f.lists[name] {
			t.Fatal("the twin is spelled the same")
		}
	}
	f.expect(f.after("1", "2", "2'"), "2", false, []int{ann, bob, cyd}, []int{1})
	f.expect(f.after("1", "2'", "2", "3", "!1'", "!2'", "3'"), "3", false, []int{ann, bob, cyd}, []int{1})
	f.expect(f.after("1'", "2'", "3'"), "3'", false, []int{ann, bob, cyd}, []int{1})
}
