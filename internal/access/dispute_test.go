package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// A junior owner removes the senior, and signs as many lists as it likes at once,
// with whatever times: the senior's answer prevails for thirty days all the same.
func TestListState_ARemovedSeniorIsNotOutrun(t *testing.T) {
	f := newFamily(t)
	f.sign("2", bob, "1", f.without(ann))
	f.sign("answer", ann, "1", f.without(bob), revoking(5))
	accept := func(s ListState, name string, at time.Time) ListState {
		t.Helper()
		next, err := s.AcceptAt(f.lists[name], at)
		if err != nil {
			t.Fatalf("list %s: %v", name, err)
		}
		return restart(t, next)
	}
	s := accept(accept(NewListState(f.ids[ann].PeerID()), "1", noon), "2", noon)
	last := "2"
	for v := 3; v < 60; v++ {
		name := fmt.Sprint(v)
		f.sign(name, bob, last, func(l *List) {
			l.Time = noon.AddDate(v%3*10-10, 0, 0).Unix() // years ago, now, and in years
			if l.Revoked = nil; v%2 == 0 {
				revoking(0)(l)
			}
		})
		s, last = accept(s, name, noon), name
		if len(s.Remembered()) > maxLists+1 || !s.MayDispute(f.ids[ann].PeerID()) || s.MayDispute(f.ids[bob].PeerID()) {
			t.Fatalf("after version %d: %d lists, may dispute: %v", v, len(s.Remembered()), s.MayDispute(f.ids[ann].PeerID()))
		}
		f.expect(accept(s, "answer", noon.Add(disputeTime-time.Second)), "answer", false, []int{ann, cyd}, []int{5})
	}
	f.sign("late", bob, last)
	s = accept(s, "late", noon.Add(disputeTime))
	if s.MayDispute(f.ids[ann].PeerID()) || len(s.Remembered()) > keptVersions+2 {
		t.Errorf("after thirty days: %d lists, may dispute: %v", len(s.Remembered()), s.MayDispute(f.ids[ann].PeerID()))
	}
	f.expect(s, "late", false, []int{bob, cyd}, nil)
}

// Neither is one who is removed by a list that skips versions.
func TestListState_ARemovalOutOfNowhereIsDisputedToo(t *testing.T) {
	f := newFamily(t)
	f.sign("500", bob, "1", f.without(ann), func(l *List) { l.Version, l.Previous = 500, HashOf("nothing") })
	f.sign("answer", ann, "1", f.without(bob))
	names := []string{"1", "500"}
	for v := 501; v < 515; v++ {
		f.sign(fmt.Sprint(v), bob, fmt.Sprint(v-1))
		names = append(names, fmt.Sprint(v))
	}
	f.expect(f.after(append(names, "answer")...), "answer", false, []int{ann, cyd}, nil)
}

// Who was removed by somebody more senior has no answer, and nobody has to a list
// that somebody as senior built upon.
func TestListState_OnlyASeniorMayDispute(t *testing.T) {
	f := newFamily(t)
	f.sign("2", ann, "1", f.without(cyd))
	f.sign("2 cyd", cyd, "1", f.without(bob))
	f.sign("3 ann", ann, "2 cyd")
	for _, s := range []ListState{f.after("1"), f.after("1", "2"), f.after("1", "2 cyd", "3 ann")} {
		for i := range f.ids {
			if s.MayDispute(f.ids[i].PeerID()) {
				t.Errorf("owner %d may dispute", i)
			}
		}
	}
	if s := f.after("1", "2 cyd"); !s.MayDispute(f.ids[bob].PeerID()) || s.MayDispute(f.ids[ann].PeerID()) || s.MayDispute(f.ids[cyd].PeerID()) {
		t.Error("not the one who was removed may dispute it")
	}
}

// What is left out of a long history changes nothing, whatever the answer is.
func TestListState_ALongDisputeIsShortenedWithoutAChange(t *testing.T) {
	left := 0
	for seed := range uint64(60) {
		w := newWorld(seed)
		all := w.dispute(t, 70)
		s, err := NewListState(all[0].signer).accept(all[0])
		if err != nil {
			t.Fatal(err)
		}
		known := all[:1]
		for _, l := range all[1:] {
			next, err := s.accept(l)
			checkInvariants(t, next)
			if err != nil {
				break // too many owners came and went
			}
			s, known = next, append(known, l)
			if whole := newTree(all[0], known[1:]).look(); !whole.equal(s.view) || !slices.Equal(whole.owners, s.Owners()) {
				t.Fatalf("seed %d: version %d: %+v, in full %+v", seed, l.Version, s.view, whole)
			}
			left = max(left, len(known)-len(s.Remembered()))
			answer := &List{Home: "home", Version: 2, Previous: "first", Time: l.Time, hash: "answer", signer: w.peers[0]}
			answer.Owners = []Owner{{ID: w.peers[0]}}
			answer.index()
			got, err := s.accept(answer)
			if whole := newTree(all[0], append(slices.Clone(known[1:]), answer)).look(); err != nil || !whole.equal(got.view) {
				t.Fatalf("seed %d: version %d: %v %+v, in full %+v", seed, l.Version, err, got.view, whole)
			}
		}
	}
	if left < 30 {
		t.Errorf("no more than %d lists were left out", left)
	}
}

// dispute makes up a line of lists, of which the second removes the most senior
// owner.
func (w *world) dispute(t *testing.T, length int) []*List {
	t.Helper()
	all := w.lists
	for len(all) < length {
		parent := all[len(all)-1]
		l := &List{
			Home: "home", Version: parent.Version + 1, Previous: parent.hash, Time: int64(100 + len(all)),
			hash: fmt.Sprintf("hash-%02d", len(all)), Owners: slices.Clone(parent.Owners), Revoked: slices.Clone(parent.Revoked),
		}
		l.signer = parent.Owners[w.rng.IntN(len(parent.Owners))].ID
		switch {
		case len(all) == 1:
			l.signer, l.Owners = w.peers[1], l.Owners[1:]
		case w.rng.IntN(8) == 0:
			w.change(l)
		default:
			l.Revoked = []Revocation{{Kind: RevokedGrant, ID: fmt.Sprint("grant-", w.rng.IntN(6)), Time: l.Time}}
		}
		if l.HasOwner(w.peers[0]) || !follows(parent, l) {
			continue
		}
		l.index()
		all = append(all, l)
	}
	return all
}

// restart writes a state down and reads it again.
func restart(t *testing.T, s ListState) ListState {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back ListState
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestListState_RemembersTheOldestFirst(t *testing.T) {
	f := newFamily(t)
	f.sign("2", ann, "1", revoking(1))
	f.sign("2 bob", bob, "1", revoking(2))
	f.sign("3", ann, "2")
	if all := NewListState(identity.PeerID("")).Remembered(); len(all) != 0 {
		t.Errorf("%v are remembered", all)
	}
	all := f.after("1", "2 bob", "3", "!2").Remembered()
	versions := []int64{}
	for _, l := range all {
		versions = append(versions, l.Version)
	}
	if !slices.Equal(versions, []int64{1, 2, 2, 3}) || all[0].Compact() != f.lists["1"] || all[3].Compact() != f.lists["3"] {
		t.Errorf("%v are remembered", versions)
	}
	// Whoever learns them all, in this order, knows the same.
	s := NewListState(f.ids[ann].PeerID())
	for _, l := range all {
		s, _ = s.Accept(l.Compact())
	}
	if describe(s) != describe(f.after("1", "2", "3", "2 bob")) {
		t.Error(describe(s))
	}
}
