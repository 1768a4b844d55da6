package mediasign

import "slices"

// group is what is missing of one link of the chain between two records that are
// in order.
type group struct {
	link  int
	slots []int
	whole bool // nothing of the document is there
}

// gaps goes through what lies between the records that are in order.
func (r *resolver) gaps() {
	a := -1
	for i := range r.records {
		if r.fate[i] == inOrder {
			r.gap(a, i)
			a = i
		}
	}
	r.gap(a, len(r.records))
	for i, f := range r.fate {
		switch f {
		case inOrder:
			t := &r.tallies[r.linkOf(i)]
			t.in = append(t.in, i)
		case moved:
			t := &r.tallies[r.linkOf(i)]
			t.moved = append(t.moved, i)
		case unknown, repeated:
		}
	}
	r.repetitions()
}

// gap pairs the unknown records between two that are in order with what is missing
// there. a is -1 at the beginning, b the number of records at the end.
func (r *resolver) gap(a, b int) {
	runs := r.runs(a+1, b)
	groups := r.groups(a, b)
	if len(runs) == 0 && len(groups) == 0 {
		return
	}
	pairs := r.align(groups, runs, a, b)
	last := r.linkOf(a)
	for _, p := range pairs {
		switch {
		case p.run < 0:
			r.absent(groups[p.group], a)
		case p.group < 0:
			r.surplus(runs[p.run], a, b, last)
		default:
			r.paired(groups[p.group], runs[p.run])
		}
		if p.group >= 0 {
			last = max(last, groups[p.group].link)
		}
	}
}

// linkOf returns the link of the chain that a record belongs to, -1 for none.
func (r *resolver) linkOf(record int) int {
	if record < 0 || record >= len(r.records) {
		return -1
	}
	return r.slots[r.slot[record]].link
}

// runs returns the unknown records from one to another, a run for each key frame.
func (r *resolver) runs(from, to int) [][]int {
	var out [][]int
	for i := from; i < to; i++ {
		if r.fate[i] != unknown {
			continue
		}
		if len(out) == 0 || r.records[i].start {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}

// groups returns what is missing between two records.
func (r *resolver) groups(a, b int) []group {
	from, to := 0, len(r.slots) // slots
	first, last := 0, len(r.chain)-1
	if a >= 0 {
		from, first = r.slot[a]+1, r.linkOf(a)
	}
	if b < len(r.records) {
		to, last = r.slot[b], r.linkOf(b)
	}
	var out []group
	for i := first; i <= last; i++ {
		g := group{link: i}
		if r.chain[i].claim == nil {
			out = append(out, g)
			continue
		}
		n := 0
		for s := r.chain[i].base; s < len(r.slots) && r.slots[s].link == i; s++ {
			n++
			if s >= from && s < to && r.slots[s].record < 0 {
				g.slots = append(g.slots, s)
			}
		}
		if g.whole = len(g.slots) == n; len(g.slots) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// pair says which run stands for which group; -1 for none.
type pair struct{ group, run int }

// align finds the most plausible pairs, in order, by the cost of each step.
func (r *resolver) align(groups []group, runs [][]int, a, b int) []pair {
	g, n := len(groups), len(runs)
	if g*n > 1<<18 {
		return inSequence(g, n)
	}
	cost := make([][]float64, g+1)
	step := make([][]byte, g+1)
	for i := range cost {
		cost[i], step[i] = make([]float64, n+1), make([]byte, n+1)
		for j := range cost[i] {
			if i == 0 && j == 0 {
				continue
			}
			best, how := 1e18, byte(0)
			if i > 0 {
				best, how = cost[i-1][j]+r.costAbsent(groups[i-1], a), 'a'
			}
			if j > 0 {
				if c := cost[i][j-1] + float64(len(runs[j-1])+2); c < best {
					best, how = c, 's'
				}
			}
			if i > 0 && j > 0 {
				if c := cost[i-1][j-1] + r.costPair(groups[i-1], runs[j-1], a, b); c < best {
					best, how = c, 'p'
				}
			}
			cost[i][j], step[i][j] = best, how
		}
	}
	var out []pair
	for i, j := g, n; i > 0 || j > 0; {
		switch step[i][j] {
		case 'a':
			i--
			out = append(out, pair{i, -1})
		case 's':
			j--
			out = append(out, pair{-1, j})
		default:
			i, j = i-1, j-1
			out = append(out, pair{i, j})
		}
	}
	slices.Reverse(out)
	return out
}

// inSequence pairs without weighing, where there is too much.
func inSequence(groups, runs int) []pair {
	var out []pair
	for i := range max(groups, runs) {
		p := pair{i, i}
		if i >= groups {
			p.group = -1
		}
		if i >= runs {
			p.run = -1
		}
		out = append(out, p)
	}
	return out
}

// costAbsent is what it costs to say that a group is not in the stream.
func (r *resolver) costAbsent(g group, a int) float64 {
	switch {
	case r.chain[g.link].claim == nil:
		return 6
	case !g.whole:
		return float64(len(g.slots))
	case a < 0 && r.v.last == nil:
		return 0.9 // it may have been before the stream begins
	}
	return 5
}

// costPair is what it costs to say that a run is what became of a group.
func (r *resolver) costPair(g group, run []int, a, b int) float64 {
	const never = 1e12
	l := r.chain[g.link]
	end := r.v.base + run[len(run)-1]
	if l.claim == nil {
		if l.bad != nil && l.bad.after <= end {
			return never // a signature comes after its pictures
		}
		if next := g.link + 1; next < len(r.chain) && r.chain[next].claim != nil && r.chain[next].claim.doc.Link == r.records[run[0]].hash {
			return -50 // the document after it names its first picture
		}
		return 1
	}
	if l.claim.after <= end {
		return never
	}
	changed, other := float64(min(len(g.slots), len(run))), float64(max(len(g.slots), len(run)))
	c := other - changed
	if l.claim.doc.Hashes == nil {
		c += 0.5 // one change hides all
	} else {
		c += 0.7 * changed
	}
	if g.whole {
		if l.claim.starts() != r.records[run[0]].start {
			c += 4
		}
		c += r.costTime(l.claim, run[0], a, b)
	}
	return c
}

// costTime is more the farther a record is from where the document says it was.
func (r *resolver) costTime(c *claim, record, a, b int) float64 {
	const ticks, worst = 90_000, 20
	reference := a
	if a < 0 {
		reference = b
	}
	if reference >= len(r.records) || reference < 0 {
		return 0
	}
	l := r.chain[r.linkOf(reference)]
	from := r.slots[l.base].record
	if from < 0 || c.doc.Start.IsZero() || l.claim.doc.Start.IsZero() {
		return 0
	}
	off := float64(r.records[record].place.PTS-r.records[from].place.PTS)/ticks - c.doc.Start.Sub(l.claim.doc.Start).Seconds()
	return min(worst, 12*max(off, -off))
}

// absent notes a group that is not in the stream. Whole documents are reported by
// results; a document at the beginning may be about what was before.
func (r *resolver) absent(g group, a int) {
	t := &r.tallies[g.link]
	if t.missing == 0 {
		t.missingAfter = a
	}
	t.missing += len(g.slots)
}

// paired notes a run that stands where a group should be.
func (r *resolver) paired(g group, run []int) {
	l := r.chain[g.link]
	if l.claim == nil {
		verdict := Unsigned
		if l.bad != nil {
			verdict = BadSignature
		}
		r.extra = append(r.extra, extra{after: g.link, verdict: verdict, records: run, bad: l.bad, counter: l.counter})
		r.tallies[g.link].changed = run // it is accounted for
		return
	}
	t := &r.tallies[g.link]
	n := min(len(run), len(g.slots))
	t.changed = append(t.changed, run[:n]...)
	t.added = append(t.added, run[n:]...)
	if len(g.slots) > n {
		if t.missing == 0 {
			t.missingAfter = run[n-1]
		}
		t.missing += len(g.slots) - n
	}
}

// surplus notes a run that nothing was signed for. last is the link before it.
func (r *resolver) surplus(run []int, a, b, last int) {
	e := extra{after: last, verdict: Inserted, records: run}
	end := b == len(r.records)
	switch inside := r.linkOf(a); {
	case a >= 0 && !end && inside == r.linkOf(b), a >= 0 && !end && !r.records[run[0]].start && last == inside:
		r.tallies[inside].added = append(r.tallies[inside].added, run...)
		return
	case end:
		e.verdict, e.tail = Unsigned, r.final
	case !r.adjacent(a, b):
		e.verdict = Unsigned
	}
	r.extra = append(r.extra, e)
}

// adjacent reports whether all that was signed between two records is known: each
// document follows the one before.
func (r *resolver) adjacent(a, b int) bool {
	before, from := r.v.last, 0
	if a >= 0 {
		from = r.linkOf(a)
		before = r.chain[from].claim
	}
	for _, l := range r.chain[from : r.linkOf(b)+1] {
		if l.claim == nil || before == nil || l.claim != before && !l.claim.follows(before) {
			return false
		}
		before = l.claim
	}
	return true
}

// repetitions notes the records that were there before: with a key frame for
// themselves, else with the document in which they stand.
func (r *resolver) repetitions() {
	var run []int
	last := -1
	end := func() {
		switch {
		case len(run) == 0:
		case r.records[run[0]].start || last < 0:
			r.extra = append(r.extra, extra{after: last, verdict: Repeated, records: run})
		default:
			t := &r.tallies[last]
			t.repeated = append(t.repeated, run...)
		}
		run = nil
	}
	for i, f := range r.fate {
		if f != repeated || r.records[i].start {
			end()
		}
		if f == repeated {
			run = append(run, i)
		}
		if f == inOrder {
			last = r.linkOf(i)
		}
	}
	end()
}
