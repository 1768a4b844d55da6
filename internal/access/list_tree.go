package access

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// node is a list among the others that are known.
type node struct {
	*List

	// parent is what the list was made of; nil for the base, and for a list
	// beside it: one that is not younger than the base and was not made of it.
	parent *node
	// gap: the parent is a guess, because what the list was made of is not known.
	gap bool
	// misshapen: it cannot have been made of its parent.
	misshapen bool
	// weight is the seniority of the most senior owner who signed the list or
	// one that was made of it.
	weight int
	// valid: signed by an owner, and not overruled.
	valid bool
	// fault: what is wrong with it is not wrong with its parent already.
	fault outcome
}

// tree is the lists that are known, each below the one that it was made of.
type tree struct {
	base  *node
	nodes []*node // by version and hash, the base included; all valid
	rank  map[identity.PeerID]int
	left  map[string]outcome // the hashes of those left out, and why
}

// newTree orders lists. Those that do not count are left out; what was made of
// one of them stands alone then, as if its origin were not known.
func newTree(base *List, lists []*List) *tree {
	for left := map[string]outcome{}; ; {
		t := grow(base, lists)
		t.left = left
		for _, n := range t.nodes {
			if n.fault != counts {
				left[n.hash] = n.fault
			}
		}
		sound := slices.DeleteFunc(slices.Clone(lists), func(l *List) bool { _, ok := left[l.hash]; return ok })
		if len(sound) == len(lists) {
			return t
		}
		lists = sound
	}
}

func grow(base *List, lists []*List) *tree {
	t := &tree{base: &node{List: base}, rank: map[identity.PeerID]int{}}
	t.nodes = append(t.nodes, t.base)
	for _, l := range lists {
		t.nodes = append(t.nodes, &node{List: l})
	}
	slices.SortFunc(t.nodes, byVersion)
	t.rankOwners(t.base)
	for _, n := range t.nodes {
		t.rankOwners(n)
	}
	for _, n := range t.nodes {
		if n != t.base {
			t.connect(n)
		}
	}
	t.judge()
	return t
}

func byVersion(a, b *node) int {
	return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.hash, b.hash))
}

// rankOwners orders owners by seniority: those of the base, then those who came
// later.
func (t *tree) rankOwners(n *node) {
	for _, o := range n.Owners {
		if _, known := t.rank[o.ID]; !known {
			t.rank[o.ID] = len(t.rank)
		}
	}
}

func (t *tree) seniority(peer identity.PeerID) int {
	if r, ok := t.rank[peer]; ok {
		return r
	}
	return math.MaxInt
}

// connect finds what n was made of.
func (t *tree) connect(n *node) {
	for _, p := range t.nodes {
		switch p.hash {
		case n.bridge:
			n.parent = p // its form was looked at while the lists between were here
			return
		case n.Previous:
			n.parent = p
			n.misshapen = n.Version != p.Version+1 || !follows(p.List, n.List)
			return
		}
	}
	if n.Version <= t.base.Version {
		return // beside the base
	}
	// Somebody may have known no more than the first list that made them an
	// owner. Supposing more would drop what lists since then took away.
	n.parent, n.gap = t.base, true
	if t.base.HasOwner(n.signer) {
		return
	}
	for _, p := range t.nodes {
		if p.Version > t.base.Version && p.Version < n.Version && p.HasOwner(n.signer) {
			n.parent = p
			return
		}
	}
}

// follows reports whether the owners that stay have kept their order and new
// ones are behind them: nobody becomes senior by signing so.
func follows(parent, child *List) bool {
	at := 0 // what of the parent's owners is left
	added := false
	for _, o := range child.Owners {
		i := slices.IndexFunc(parent.Owners[at:], func(p Owner) bool { return p.ID == o.ID })
		switch {
		case i >= 0 && !added:
			at += i + 1
		case parent.HasOwner(o.ID):
			return false
		default:
			added = true
		}
	}
	return true
}

// judge finds out which lists count: those signed by an owner of what they were
// made of, unless they, or what they were made of, are overruled.
func (t *tree) judge() {
	for _, n := range t.nodes {
		n.weight = math.MaxInt
		switch {
		case n.misshapen:
			n.fault = misshaped
		case n != t.base && !t.signed(n):
			n.fault = unheard
		}
		n.valid = n.fault == counts
	}
	for _, n := range slices.Backward(t.nodes) { // what was made of n is younger
		if !n.valid {
			continue
		}
		n.weight = min(n.weight, t.seniority(n.signer))
		if n.parent != nil {
			n.parent.weight = min(n.parent.weight, n.weight)
		}
	}
	// The heavier are judged first, and nobody lighter overrules them. A parent
	// is never lighter than what was made of it.
	order := slices.SortedFunc(slices.Values(t.nodes), func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), byVersion(a, b))
	})
	for i, n := range order {
		if n.parent != nil && !n.parent.valid {
			n.valid = false
		}
		if n.valid && ownersDecide() && overruled(n, order[:i]) {
			n.valid, n.fault = false, unheard
		}
	}
}

// signed reports whether an owner signed n.
func (t *tree) signed(n *node) bool {
	from := t.base
	if n.parent != nil {
		from = n.parent
	}
	return !ownersDecide() || from.HasOwner(n.signer)
}

// overruled reports whether a weightier list, made without knowledge of n, takes
// the ownership from the one who signed n. One that was made of who knows what may
// have known n after all, unless n would have kept its signer from signing it.
func overruled(n *node, weightier []*node) bool {
	return slices.ContainsFunc(weightier, func(m *node) bool {
		return m.valid && m.weight < n.weight && m.removes(n.signer) && !m.from(n) && !n.from(m) &&
			(!m.gap || n.removes(m.signer))
	})
}

func (n *node) removes(peer identity.PeerID) bool {
	return n.parent != nil && n.parent.HasOwner(peer) && !n.HasOwner(peer)
}

// contested returns the owners whom n took away though they are more senior than
// whoever signed it or built upon it: they may answer.
func (t *tree) contested(n *node) (removed []identity.PeerID) {
	if n.parent == nil {
		return nil
	}
	for _, o := range n.parent.Owners {
		if t.seniority(o.ID) < n.weight && !n.HasOwner(o.ID) {
			removed = append(removed, o.ID)
		}
	}
	return removed
}

// from reports whether n is m or was made of it.
func (n *node) from(m *node) bool {
	for ; n != nil; n = n.parent {
		if n == m {
			return true
		}
	}
	return false
}

// front returns the list in force: of those that count and on which nothing was
// made, the highest version, then the most senior signer's.
func (t *tree) front() *node {
	front := t.base
	for _, n := range t.nodes {
		if n.parent != nil && t.ahead(n, front) {
			front = n
		}
	}
	return front
}

func (t *tree) ahead(a, b *node) bool {
	return cmp.Or(cmp.Compare(b.Version, a.Version), cmp.Compare(t.seniority(a.signer), t.seniority(b.signer)),
		strings.Compare(a.hash, b.hash)) < 0
}

// path returns the lists from the base to n.
func (n *node) path() []*node {
	var path []*node
	for ; n != nil; n = n.parent {
		path = append(path, n)
	}
	slices.Reverse(path)
	return path
}

func (t *tree) node(hash string) *node {
	for _, n := range t.nodes {
		if n.hash == hash {
			return n
		}
	}
	return nil
}
