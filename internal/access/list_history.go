package access

import "slices"

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
func (s ListState) with(l *List) (ListState, outcome) {
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
		return next.shortened(t, v), counts
	}
	if n.parent == nil {
		return s, old // from before the base
	}
	// It says nothing, and what is made of it may.
	return next.shortened(t, v), old
}

// shortened returns the state without the lists that do not count, and without
// history that nobody needs. It says the same.
func (s ListState) shortened(t *tree, v view) ListState {
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
		if len(path) <= keptVersions+1 || !t.over(v, path[1]) {
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
		return s
	}
	return kept
}

// over reports whether what came before a list, and what was made beside it, is
// over: no list that still has something to say was made of it.
func (t *tree) over(v view, base *node) bool {
	return !slices.ContainsFunc(v.open, func(n *node) bool {
		return !n.from(base) && n.from(t.base)
	})
}
