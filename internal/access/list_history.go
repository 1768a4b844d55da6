package access

import (
	"slices"
	"time"
)

// outcome is what became of a list that was taken in.
type outcome int

const (
	// counts: it is in force, or has something to say beside the one that is.
	counts outcome = iota
	// misshaped: it cannot have been made of the list it names.
	misshaped
	// unheard: no owner signed it, or one who is overruled.
	unheard
	// old: there is a newer one, and it has nothing new.
	old
)

// with returns the state after l was added.
func (s ListState) with(l *List, now time.Time) (ListState, outcome) {
	same := func(o *List) bool { return o.hash == l.hash }
	switch {
	case slices.ContainsFunc(s.view.open, func(n *node) bool { return same(n.List) }):
		return s, counts
	case same(s.base) || slices.ContainsFunc(s.lists, same) || slices.Contains(s.settled, l.hash):
		return s, old
	}
	newest := s.base.Version
	for _, o := range s.lists {
		newest = max(newest, o.Version)
	}
	if l.Version > newest+maxJump {
		return s, misshaped
	}
	next := s
	next.lists = append(slices.Clone(s.lists), l)
	t := newTree(next.base, next.lists)
	if fault, ok := t.left[l.hash]; ok {
		return s, fault
	}
	n := t.node(l.hash)
	v := t.look()
	if v.list == l || slices.Contains(v.open, n) || !v.equal(s.view) {
		return next.shortened(t, v, now), counts
	}
	if n.parent == nil {
		return s, old // from before the base
	}
	// It says nothing, and what is made of it may.
	return next.shortened(t, v, now), old
}

// shortened returns the state without the lists that do not count, and without
// history that nobody needs. It says the same.
func (s ListState) shortened(t *tree, v view, now time.Time) ListState {
	s.settled = slices.Clone(s.settled)
	for {
		s.lists = nil
		for _, n := range t.nodes {
			if n != t.base {
				s.lists = append(s.lists, n.List)
			}
		}
		s.view = v
		path := t.node(v.list.hash).path()
		if len(path) <= keptVersions+1 || !t.over(v, path[1]) || t.disputed(path[1], now) {
			return s.bounded(t, v)
		}
		base, lists := path[1], []*List(nil)
		for _, n := range t.nodes {
			switch {
			case n != base && (n.from(base) || slices.Contains(v.open, n)):
				lists = append(lists, n.List)
			case n != base:
				s.settled = append(s.settled, n.hash)
			}
		}
		s.settled = s.settled[max(0, len(s.settled)-maxSettled):]
		s.base = base.List
		t = newTree(base.List, lists)
		v = t.look()
	}
}

// bounded returns the state without the lists that have nothing to say, if there
// are too many.
func (s ListState) bounded(t *tree, v view) ListState {
	if len(s.lists) <= maxLists {
		return s
	}
	speaking := append([]*node{t.node(v.list.hash)}, v.open...)
	kept := s
	kept.lists = nil
	for _, n := range t.nodes {
		if n != t.base && slices.ContainsFunc(speaking, func(m *node) bool { return m.from(n) }) {
			kept.lists = append(kept.lists, n.List)
		}
	}
	if kept.view = newTree(kept.base, kept.lists).look(); !kept.view.equal(v) {
		kept = s
	}
	return kept.thinned()
}

// thinned returns the state without lists between one that may be disputed and
// the newest ones, as many as there are too many: an owner who waits for the time
// of disputes to pass can go on signing.
func (s ListState) thinned() ListState {
	for len(s.lists) > maxLists {
		t := newTree(s.base, s.lists)
		path := t.node(s.view.list.hash).path()
		next, ok := s, false
		for i := 1; i < len(path)-1-keptVersions && !ok; i++ {
			if t.mayBeLeftOut(path[i], path[i+1]) {
				next = s.bridging(path[i].List, path[i+1].List, path[i-1].hash)
				ok = next.view.equal(s.view)
			}
		}
		if !ok {
			return s
		}
		s = next
	}
	return s
}

// mayBeLeftOut reports whether who is an owner, and who may dispute it, follows
// from the other lists without n, of which child was made.
func (t *tree) mayBeLeftOut(n, child *node) bool {
	made := 0
	for _, c := range t.nodes {
		if c.parent == n {
			made++
		}
	}
	same := slices.EqualFunc(n.Owners, n.parent.Owners, func(a, b Owner) bool { return a.ID == b.ID })
	return made == 1 && !n.gap && !child.gap && same && child.weight <= t.seniority(n.signer)
}

// bridging returns the state without l: child counts as made of the list with the
// hash parent instead.
func (s ListState) bridging(l, child *List, parent string) ListState {
	lists := make([]*List, 0, len(s.lists))
	for _, o := range s.lists {
		switch o {
		case l:
		case child:
			c := *child
			c.bridge = parent
			lists = append(lists, &c)
		default:
			lists = append(lists, o)
		}
	}
	s.lists = lists
	s.settled = append(slices.Clone(s.settled), l.hash)
	s.settled = s.settled[max(0, len(s.settled)-maxSettled):]
	s.view = newTree(s.base, s.lists).look()
	return s
}

// disputed reports whether a list took away an owner more senior than its signer
// so lately that this may still be answered. It may be for 30 days since it came
// here or was signed, whichever is later; a signer with a wrong clock makes them 60
// at most.
func (t *tree) disputed(n *node, now time.Time) bool {
	const span = int64(disputeTime / time.Second)
	since := max(n.seen, min(n.Time, n.seen+span))
	return len(t.contested(n)) > 0 && now.Unix() < since+span
}

// over reports whether what came before a list, and what was made beside it, is
// over: no list that still has something to say was made of it.
func (t *tree) over(v view, base *node) bool {
	return !slices.ContainsFunc(v.open, func(n *node) bool {
		return !n.from(base) && n.from(t.base)
	})
}
