package mediasign

import "slices"

// What a record of a stretch turned out to be.
type fate uint8

const (
	unknown  fate = iota
	inOrder       // a picture that was signed, in its place
	moved         // signed, in another place
	repeated      // signed, and there before
)

// resolver finds out what became of a stretch of the stream that is not as it was
// signed. It puts the pictures that are there beside those that were signed, like
// a comparison of two texts: what is in order, what was moved, and by exclusion
// what was changed, taken away and put in.
type resolver struct {
	v       *Verifier
	records []record
	final   bool // the stream ends here
	chain   []chainLink
	tallies []tally // one for each link of the chain

	slots []slot
	want  map[[hashSize]byte][]int // slots by hash
	slot  []int                    // by record, -1 if none
	fate  []fate                   // by record

	extra []extra
}

// slot is a picture that was signed.
type slot struct {
	link   int // of the chain
	record int // -1 while it is missing
}

// tally is what became of the pictures of a document: numbers of records.
type tally struct {
	in, moved, changed, added, repeated []int
	missing                             int
	missingAfter                        int  // record, -1 if at the beginning
	late                                bool // the signature is out of place
}

// extra is something that belongs to no document.
type extra struct {
	after   int // link of the chain, -1 for the beginning
	verdict Verdict
	records []int
	bad     *claim
	counter uint32
	tail    bool
}

// resolve judges the records up to end, and all documents.
func (v *Verifier) resolve(end int, final bool) {
	if end == 0 && len(v.claims) == 0 {
		return
	}
	r := &resolver{v: v, records: v.records[:end], final: final}
	good, bad := split(v.claims)
	good = order(good, v.last)
	for _, c := range good {
		v.rise(c)
	}
	var left []*claim
	r.chain, left = links(good, bad, v.last)
	r.tallies = make([]tally, len(r.chain))
	r.lay()
	r.match()
	r.rank()
	r.gaps()
	r.signatures()
	v.out = append(v.out, r.results()...)
	for _, b := range left {
		v.out = append(v.out, stray(b))
	}
	for i, l := range r.chain {
		if l.claim != nil && !r.empty(&r.tallies[i]) {
			v.remember(l.claim)
		}
	}
	clear(v.open)
	for _, c := range good {
		if v.last == nil || c.seq > v.last.seq {
			v.last = c
		}
	}
	v.claims, v.clean = nil, 0
	v.drop(end)
}

func split(claims []*claim) (good, bad []*claim) {
	for _, c := range claims {
		if c.bad != "" {
			bad = append(bad, c)
		} else {
			good = append(good, c)
		}
	}
	return good, bad
}

// lay makes the slots.
func (r *resolver) lay() {
	r.want = map[[hashSize]byte][]int{}
	for i := range r.chain {
		c := r.chain[i].claim
		r.chain[i].base = len(r.slots)
		if c == nil {
			continue
		}
		if c.doc.Hashes == nil {
			r.v.find(c) // fills them in where the pictures are there
		}
		for n := range max(len(c.doc.Hashes), r.units(c)) {
			if n < len(c.doc.Hashes) {
				r.want[c.doc.Hashes[n]] = append(r.want[c.doc.Hashes[n]], len(r.slots))
			}
			r.slots = append(r.slots, slot{link: i, record: -1})
		}
	}
}

// units returns how many pictures a document covers.
func (r *resolver) units(c *claim) int {
	if c.doc.Hashes != nil {
		return len(c.doc.Hashes)
	}
	return c.doc.Units
}

// match gives records their slots.
func (r *resolver) match() {
	r.slot = make([]int, len(r.records))
	r.fate = make([]fate, len(r.records))
	before := -1
	for i := range r.records {
		r.slot[i] = -1
		wanted := r.want[r.records[i].hash]
		s := r.choose(wanted, before, -1)
		switch {
		case s >= 0:
			r.take(i, s)
			before = s
		case len(wanted) > 0:
			r.fate[i], r.slot[i] = repeated, wanted[0]
		case r.v.known.has[r.records[i].hash]:
			r.fate[i] = repeated
		}
	}
	r.relink()
	if r.final {
		r.tail()
	}
}

// tail takes pictures at the end of the stream, for which no signature has come yet,
// for what they are: unsigned. A picture of a scene in which nothing moves, or of a
// camera that plays a film again, has the bytes of an earlier one. Only a signature
// that was there before shows that they were copied.
func (r *resolver) tail() {
	from := len(r.fate)
	copied := false
	for from > 0 && r.fate[from-1] != inOrder && r.fate[from-1] != moved {
		from--
		copied = copied || r.records[from].message && r.fate[from] == repeated
	}
	if copied || r.v.echo >= r.v.base+from {
		return
	}
	for i := from; i < len(r.fate); i++ {
		r.fate[i], r.slot[i] = unknown, -1
	}
}

func (r *resolver) take(record, s int) {
	r.slot[record], r.fate[record] = s, inOrder
	r.slots[s].record = record
}

// choose returns a free slot: the one after before if it can be, else the first
// later one, else the first; -1 if there is none. With only >= 0 it is one of that
// link.
func (r *resolver) choose(wanted []int, before, only int) int {
	earliest := -1
	for _, s := range wanted {
		if r.slots[s].record >= 0 || only >= 0 && r.slots[s].link != only {
			continue
		}
		if s > before {
			return s
		}
		if earliest < 0 {
			earliest = s
		}
	}
	return earliest
}

// relink finds pictures whose key frame was changed or taken away: they were signed
// with the one that was.
func (r *resolver) relink() {
	const budget = 1 << 20
	work := 0
	anchor, known := [hashSize]byte{}, false
	for i, l := range r.chain {
		if l.claim == nil {
			known = false
			continue
		}
		if l.claim.starts() {
			anchor, known = l.claim.first()
		}
		if !known || !r.lacks(i) {
			continue
		}
		before := -1
		for j := range r.records {
			if r.fate[j] != unknown || r.records[j].start || r.records[j].message {
				continue
			}
			if work++; work > budget {
				return
			}
			if s := r.choose(r.want[link(anchor, r.records[j].plain)], before, i); s >= 0 {
				r.take(j, s)
				before = s
			}
		}
	}
}

// lacks reports whether pictures of a document are missing.
func (r *resolver) lacks(link int) bool {
	for s := r.chain[link].base; s < len(r.slots) && r.slots[s].link == link; s++ {
		if r.slots[s].record < 0 {
			return true
		}
	}
	return false
}

// rank finds out which pictures are in order: the most that can be (a longest
// increasing subsequence). The others were moved.
func (r *resolver) rank() {
	var tails, at []int // smallest last slot of a sequence of each length, and its record
	previous := make([]int, len(r.records))
	for i := range r.records {
		previous[i] = -1
		if r.fate[i] != inOrder {
			continue
		}
		n, _ := slices.BinarySearch(tails, r.slot[i])
		if n > 0 {
			previous[i] = at[n-1]
		}
		if n == len(tails) {
			tails, at = append(tails, r.slot[i]), append(at, i)
		} else {
			tails[n], at[n] = r.slot[i], i
		}
		r.fate[i] = moved
	}
	if len(at) == 0 {
		return
	}
	for i := at[len(at)-1]; i >= 0; i = previous[i] {
		r.fate[i] = inOrder
	}
	r.swap()
}

// swap corrects which of two copies of a picture is the one out of place.
func (r *resolver) swap() {
	before := -1
	for i := range r.records {
		s := r.slot[i]
		if r.fate[i] == inOrder {
			before = s
		}
		if r.fate[i] != repeated || s < 0 || s <= before || r.fate[r.slots[s].record] != moved {
			continue
		}
		after := slices.IndexFunc(r.fate[i:], func(f fate) bool { return f == inOrder })
		if after >= 0 && r.slot[i+after] < s {
			continue
		}
		other := r.slots[s].record
		r.fate[other] = repeated
		r.take(i, s)
		before = s
	}
}
