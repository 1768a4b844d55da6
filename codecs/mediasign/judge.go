package mediasign

import (
	"slices"
	"sort"
)

// signatures finds documents that are not where they belong: before their last
// picture, or after a later document.
func (r *resolver) signatures() {
	latest := -1
	for i := len(r.chain) - 1; i >= 0; i-- {
		c := r.chain[i].claim
		if c == nil {
			continue
		}
		t := &r.tallies[i]
		if n := len(t.in); n > 0 && c.after <= r.v.base+t.in[n-1] {
			t.late = true
		}
		if latest >= 0 && c.seq > latest {
			t.late = true
			continue
		}
		latest = c.seq
	}
}

// entry is a result and its place in the report.
type entry struct {
	link, order int
	gop         GOP
}

// results makes the report of the stretch, in the order of the chain.
func (r *resolver) results() []GOP {
	var all []entry
	began, session := r.v.last != nil, 0
	if began {
		session = r.v.last.session
	}
	for i, l := range r.chain {
		t := &r.tallies[i]
		c := l.claim
		switch {
		case c == nil && l.bad != nil:
			if len(t.changed) == 0 {
				all = append(all, entry{i, 0, stray(l.bad)})
			}
			continue
		case c == nil:
			if len(t.changed) == 0 && !r.head(i) { // no pictures either
				all = append(all, entry{i, 0, GOP{Verdict: Missing, Number: r.number(i), Counter: l.counter, Pieces: l.missing, Where: r.where(i)}})
			}
			continue
		case r.empty(t) && r.units(c) > 0:
			if !r.head(i) {
				all = append(all, entry{i, 0, GOP{
					Verdict: Missing, Number: r.number(i), Counter: c.doc.Counter, Pieces: 1,
					Start: c.doc.Start, End: c.doc.End, Missing: r.units(c), Covered: r.units(c), Where: r.where(i), Origin: c.origin,
				}})
				began, session = true, c.session
			}
			continue
		case r.units(c) == 0:
			continue
		}
		anew := began && c.session != session
		if anew && c.joined {
			all = append(all, entry{i, -1, GOP{Verdict: Missing, Number: r.number(i), Counter: 0, Where: r.where(i)}})
		}
		g := r.v.judge(c, t, r.records)
		g.Began = anew && !c.joined
		all = append(all, entry{i, 0, g})
		began, session = true, c.session
	}
	for n, e := range r.extra {
		all = append(all, entry{e.after, n + 1, r.describe(e)})
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].link != all[j].link {
			return all[i].link < all[j].link
		}
		return all[i].order < all[j].order
	})
	return merge(all)
}

// stray makes the report of a wrong signature that no pictures belong to.
func stray(b *claim) GOP {
	return GOP{
		Verdict: BadSignature, Number: b.gop, Counter: counterOf(b), First: b.place, Last: b.place, Where: b.place,
		Stray: true, Reason: b.bad,
	}
}

// head reports whether a link stands before everything that is there: what it is
// about may have been before the stream began.
func (r *resolver) head(link int) bool {
	if r.v.last != nil {
		return false
	}
	for i := range link {
		if t := &r.tallies[i]; !r.empty(t) {
			return false
		}
	}
	return true
}

func (r *resolver) empty(t *tally) bool {
	return len(t.in)+len(t.moved)+len(t.changed) == 0
}

// before returns the last record of the links before one; -1 if there is none.
func (r *resolver) before(link int) int {
	for i := link - 1; i >= 0; i-- {
		if t := &r.tallies[i]; len(t.in) > 0 {
			return t.in[len(t.in)-1]
		} else if len(t.changed) > 0 {
			return t.changed[len(t.changed)-1]
		}
	}
	return -1
}

// number returns the number of the GOP before a link.
func (r *resolver) number(link int) int {
	if i := r.before(link); i >= 0 {
		return r.records[i].gop
	}
	if len(r.records) > 0 {
		return max(r.records[0].gop-1, 0)
	}
	return r.v.gops
}

// where returns the place where a link is missing.
func (r *resolver) where(link int) Place {
	if i := r.before(link) + 1; i < len(r.records) {
		return r.records[i].place
	}
	if len(r.records) > 0 {
		return r.records[len(r.records)-1].place
	}
	return Place{Unit: r.v.units}
}

// merge joins neighbours that are missing.
func merge(all []entry) []GOP {
	var out []GOP
	for _, e := range all {
		if n := len(out); n > 0 && e.gop.Verdict == Missing && out[n-1].Verdict == Missing && e.gop.Pieces > 0 && out[n-1].Pieces > 0 {
			last := &out[n-1]
			last.Pieces += e.gop.Pieces
			last.Missing += e.gop.Missing
			last.Covered += e.gop.Covered
			if last.Start.IsZero() {
				last.Start = e.gop.Start
			}
			if !e.gop.End.IsZero() {
				last.End = e.gop.End
			}
			continue
		}
		out = append(out, e.gop)
	}
	return out
}

// describe makes the report of what belongs to no document.
func (r *resolver) describe(e extra) GOP {
	first, last := &r.records[e.records[0]], &r.records[e.records[len(e.records)-1]]
	g := GOP{
		Verdict: e.verdict, Number: first.gop, Counter: e.counter, First: first.place, Last: last.place, Where: first.place,
		Units: r.pictures(e.records), Tail: e.tail,
	}
	if e.verdict == Repeated {
		g.Repeated = g.Units
	}
	if e.bad != nil {
		g.Reason, g.Counter = e.bad.bad, counterOf(e.bad)
	}
	return g
}

func (r *resolver) pictures(records []int) (n int) {
	for _, i := range records {
		if !r.records[i].message {
			n++
		}
	}
	return n
}

// judge makes the report of a document.
func (v *Verifier) judge(c *claim, t *tally, records []record) GOP {
	all := slices.Concat(t.in, t.moved, t.changed, t.added, t.repeated)
	slices.Sort(all)
	covered := len(c.doc.Hashes)
	if c.doc.Hashes == nil {
		covered = c.doc.Units
	}
	g := GOP{
		Number: records[all[0]].gop, Counter: c.doc.Counter, Start: c.doc.Start, End: c.doc.End,
		First: records[all[0]].place, Last: records[all[len(all)-1]].place,
		Covered: covered, Changed: len(t.changed), Missing: t.missing, Added: len(t.added), Repeated: len(t.repeated), Moved: len(t.moved),
		SignatureMoved: t.late, Origin: c.origin,
	}
	for _, i := range all {
		if !records[i].message {
			g.Units++
		}
	}
	if len(t.in) > 0 {
		g.Number, g.First = records[t.in[0]].gop, records[t.in[0]].place
		g.Last = records[t.in[len(t.in)-1]].place
	}
	g.Part = v.part.count(c, g.Number)
	g.Where = trouble(t, records, g.First)
	if c.earlier {
		g.Moved = len(t.in) + len(t.moved)
	}
	if len(t.in) == covered && len(t.added) == 0 {
		d := newSideDigest()
		for n, i := range t.in {
			d.add(n, records[i].side)
		}
		g.ParameterSets, g.Messages = d.check(c.doc)
	}
	g.Verdict = v.verdict(c, &g)
	return g
}

// trouble returns the place of the first record that is not as it should be.
func trouble(t *tally, records []record, otherwise Place) Place {
	first := len(records)
	for _, list := range [][]int{t.moved, t.changed, t.added, t.repeated} {
		for _, i := range list {
			first = min(first, i)
		}
	}
	if t.missing > 0 {
		first = min(first, t.missingAfter+1)
	}
	if first < len(records) {
		return records[first].place
	}
	return otherwise
}

func (v *Verifier) verdict(c *claim, g *GOP) Verdict {
	expected := v.key
	if expected == nil {
		expected = v.first.Key()
	}
	switch {
	case !slices.Equal(expected, c.origin.Key()):
		return OtherKey
	case g.Changed > 0 || g.Added > 0 || g.ParameterSets || g.Messages:
		return Modified
	case g.Moved > 0:
		return Reordered
	case g.Missing > 0:
		return FramesMissing
	case g.Repeated > 0:
		return Repeated
	case g.SignatureMoved:
		return Reordered
	}
	return Authentic
}

// partCounter numbers the parts of a GOP.
type partCounter struct{ gop, part int }

func (p *partCounter) count(c *claim, gop int) int {
	switch {
	case gop == p.gop && p.part > 0:
		p.part++
	case c.doc.Partial:
		p.part = 1
	default:
		p.part = 0
	}
	p.gop = gop
	return p.part
}
