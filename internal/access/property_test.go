package access

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/identity"
)

// world makes up lists: parsed ones, without their signatures, so that thousands
// of histories can be tried.
type world struct {
	rng   *rand.Rand
	wild  bool              // owners sign what contradicts itself, and so do others
	peers []identity.PeerID // the first three are the first owners
	lists []*List
	sound []*List // those that an owner may build upon

	parent map[*List]*List
	last   map[identity.PeerID]*List // that a peer signed
}

// stranger is never an owner.
var stranger = identity.PeerID(strings.Repeat("x", identity.PeerIDLen)) //nolint:gochecknoglobals // a constant

func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 1)), parent: map[*List]*List{}, last: map[identity.PeerID]*List{}}
	for i := range 5 {
		w.peers = append(w.peers, identity.PeerID(strings.Repeat(string(rune('a'+i)), identity.PeerIDLen)))
	}
	first := &List{Home: "home", Version: 1, signer: w.peers[0], hash: "first"}
	for _, p := range w.peers[:3] {
		first.Owners = append(first.Owners, Owner{ID: p})
	}
	w.lists, w.sound = []*List{first}, []*List{first}
	return w
}

// grow adds a list that one of the owners of an earlier one may have signed, or
// now and then one that nobody should have.
func (w *world) grow() {
	parent := w.sound[w.rng.IntN(len(w.sound))]
	signer := w.signer(parent)
	if own := w.last[signer]; !w.wild && own != nil && own.HasOwner(signer) && !w.madeOf(parent, own) {
		parent = own // nobody contradicts what they signed themselves
	}
	if !w.wild && parent.Version > keptVersions {
		return // beyond, what was removed is removed, and order counts
	}
	l := &List{
		Home: "home", Version: parent.Version + 1, Previous: parent.hash, Time: int64(100 + len(w.lists)),
		hash: fmt.Sprintf("hash-%02d-%d", len(w.lists), w.rng.IntN(100)), signer: signer,
		Owners: slices.Clone(parent.Owners), Revoked: slices.Clone(parent.Revoked),
	}
	for range w.rng.IntN(3) {
		w.change(l)
	}
	if !w.wild && !follows(parent, l) {
		return
	}
	if w.rng.IntN(6) == 0 { // what it was made of stays unknown
		l.Previous, l.Version = "unknown-"+l.hash, l.Version+w.rng.Int64N(3)
	}
	l.index()
	w.lists = append(w.lists, l)
	w.parent[l], w.last[signer] = parent, l
	if w.wild || parent.HasOwner(l.signer) {
		w.sound = append(w.sound, l)
	}
}

func (w *world) madeOf(l, ancestor *List) bool {
	for ; l != nil; l = w.parent[l] {
		if l == ancestor {
			return true
		}
	}
	return false
}

func (w *world) signer(parent *List) identity.PeerID {
	switch {
	case w.rng.IntN(12) > 0:
	case w.wild:
		return w.peers[w.rng.IntN(len(w.peers))]
	default:
		return stranger
	}
	return parent.Owners[w.rng.IntN(len(parent.Owners))].ID
}

func (w *world) change(l *List) {
	peer := w.peers[w.rng.IntN(len(w.peers))]
	isOwner := slices.IndexFunc(l.Owners, func(o Owner) bool { return o.ID == peer })
	switch w.rng.IntN(6) {
	case 0: // give up or take away an owner
		if isOwner >= 0 && len(l.Owners) > 1 {
			l.Owners = slices.Delete(l.Owners, isOwner, isOwner+1)
		}
	case 1:
		if isOwner < 0 && !revokes(l, RevokedPeer, string(peer)) {
			l.Owners = append(l.Owners, Owner{ID: peer})
		}
	case 2:
		if isOwner >= 0 && len(l.Owners) > 1 {
			l.Owners = slices.Delete(l.Owners, isOwner, isOwner+1)
			l.Revoked = append(slices.Clone(l.Revoked), Revocation{Kind: RevokedPeer, ID: string(peer), Time: l.Time})
		}
	case 3:
		if len(l.Revoked) > 0 {
			l.Revoked = l.Revoked[1:]
		}
	default:
		r := Revocation{Kind: RevokedGrant, ID: fmt.Sprint("grant-", w.rng.IntN(6)), Time: l.Time}
		if w.rng.IntN(3) == 0 {
			r.Expires = l.Time + w.rng.Int64N(10)
		}
		if !revokes(l, r.Kind, r.ID) {
			l.Revoked = append(slices.Clone(l.Revoked), r)
		}
	}
}

func revokes(l *List, kind, id string) bool {
	return slices.ContainsFunc(l.Revoked, func(r Revocation) bool { return r.Kind == kind && r.ID == id })
}

// deliver offers all lists again and again in one order, as devices of owners do,
// until nothing changes any more.
func (w *world) deliver(t *testing.T, order []int) ListState {
	t.Helper()
	s := NewListState(w.lists[0].signer)
	s, err := s.accept(w.lists[0])
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		before := describe(s) + fmt.Sprint(hashes(s))
		for _, i := range order {
			s, _ = s.accept(w.lists[i])
			checkInvariants(t, s)
		}
		if describe(s)+fmt.Sprint(hashes(s)) == before {
			return s
		}
	}
	t.Fatal("the state never comes to rest")
	return s
}

func hashes(s ListState) (all []string) {
	for _, l := range s.lists {
		all = append(all, l.hash)
	}
	return all
}

// describe says what a state has in force.
func describe(s ListState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s conflict=%v owners:", s.List().hash, s.Conflict())
	for _, o := range s.Owners() {
		b.WriteString(" " + string(o.ID[:1]))
	}
	b.WriteString(" revoked:")
	var all []string
	for _, r := range s.Revocations() {
		all = append(all, fmt.Sprintf(" %s %.8s", r.Kind, r.ID))
	}
	slices.Sort(all)
	b.WriteString(strings.Join(slices.Compact(all), ""))
	return b.String()
}

func checkInvariants(t *testing.T, s ListState) {
	t.Helper()
	if len(s.Owners()) == 0 {
		t.Fatal("nobody is an owner")
	}
	if len(s.lists) > maxLists || len(s.settled) > maxSettled {
		t.Fatalf("%d lists and %d hashes are kept", len(s.lists), len(s.settled))
	}
	for _, o := range s.Owners() {
		if s.Revoked(RevokedPeer, string(o.ID)) {
			t.Fatal("an owner is revoked")
		}
	}
	for _, r := range s.Revocations() {
		if !s.Revoked(r.Kind, r.ID) && !s.IsOwner(identity.PeerID(r.ID)) {
			t.Fatalf("%v is not in force", r)
		}
	}
	if !s.Conflict() && (len(s.carried()) > 0 || len(s.RemovedOwners()) > 0) {
		t.Fatal("something is carried without a conflict")
	}
}

func (s ListState) carried() []Revocation { return s.view.carried }

func TestListState_TheOrderOfArrivalChangesNothing(t *testing.T) {
	conflicts := 0
	for seed := range uint64(1500) {
		w := newWorld(seed)
		for range 2 + w.rng.IntN(6) {
			w.grow()
		}
		var want string
		for range 12 {
			s := w.deliver(t, w.rng.Perm(len(w.lists)))
			if s.Conflict() {
				conflicts++
			}
			if got := describe(s); want == "" {
				want = got
			} else if got != want {
				t.Errorf("seed %d: %s\nin another order: %s\n%s", seed, want, got, w)
				break
			}
		}
	}
	if conflicts < 1000 {
		t.Errorf("only %d conflicts were tried", conflicts)
	}
}

func TestListState_NothingBreaksIt(t *testing.T) {
	for seed := range uint64(300) {
		w := newWorld(seed)
		w.wild = true
		for range 10 + w.rng.IntN(80) {
			w.grow()
		}
		s, err := NewListState(w.lists[0].signer).accept(w.lists[0])
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for _, i := range w.rng.Perm(len(w.lists)) {
				next, err := s.accept(w.lists[i])
				checkInvariants(t, next)
				if err != nil && describe(next) != describe(s) {
					t.Fatal("a refused list changed something")
				}
				checkNothingLost(t, s, next)
				if known := s.base == w.lists[i] || slices.Contains(s.lists, w.lists[i]); err == nil && !known {
					whole := newTree(s.base, append(slices.Clone(s.lists), w.lists[i])).look()
					if !whole.equal(next.view) {
						t.Fatalf("seed %d: shortening changed %+v to %+v", seed, whole, next.view)
					}
				}
				if again := newTree(next.base, next.lists).look(); !again.equal(next.view) {
					t.Fatalf("seed %d: what is kept says something else: %+v, %+v", seed, again, next.view)
				}
				s = next
			}
		}
	}
}

// checkNothingLost makes sure that a list which took force without having been
// made of the one before gives nothing back that it revoked, unless the owner who
// did so is overruled or somebody who had it too gave it back.
func checkNothingLost(t *testing.T, before, after ListState) {
	t.Helper()
	tree := newTree(after.base, after.lists)
	n := tree.node(before.List().hash)
	if n == nil || !n.valid || tree.builtUpon(n) {
		return
	}
	path := tree.front().path()
	if slices.ContainsFunc(path[:len(path)-1], takingOf(n, path, nil).knownTo) {
		return
	}
	for _, r := range before.List().Revoked {
		if !after.List().knows(r) && !after.Revoked(r.Kind, r.ID) && !after.IsOwner(identity.PeerID(r.ID)) {
			t.Fatalf("%v was given back", r)
		}
	}
}

func (w *world) String() string {
	var b strings.Builder
	for _, l := range w.lists {
		fmt.Fprintf(&b, "  v%d %s <- %s by %s owners", l.Version, l.hash, l.Previous, l.signer[:1])
		for _, o := range l.Owners {
			fmt.Fprintf(&b, " %s", o.ID[:1])
		}
		for _, r := range l.Revoked {
			fmt.Fprintf(&b, ", %s %.8s until %d", r.Kind, r.ID, r.Expires)
		}
		b.WriteString("\n")
	}
	return b.String()
}
