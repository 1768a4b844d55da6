package retention

import (
	"cmp"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// candidate is a segment with what the rules say about it.
type candidate struct {
	Segment
	event bool
	// rank orders what has to make room: the end, later for events. Least first.
	rank recordings.Time
	// age is the end as far as the age goes.
	age   recordings.Time
	clock bool // it was recorded with a clock that had been set
}

// Make decides what to delete. It keeps what is locked, whatever happens. Then, in
// this order: what is too old goes; what a camera has too much of, its oldest first;
// what stands where room is needed, the oldest of all cameras first, but before that
// of agents elsewhere that have more than their share. What belongs to an event counts
// as younger by KeepEvents - Keep. All renditions are the same.
func Make(s State) Plan {
	all := s.candidates()
	p := planner{state: s, bytes: make(map[string]int64), freed: make(map[string]int64)}
	for id, c := range s.Cameras {
		p.bytes[id] = c.Bytes - c.Locked
	}
	all = p.tooOld(all)
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Camera, b.Camera),
			cmp.Compare(a.Rendition, b.Rendition), cmp.Compare(a.Generation, b.Generation))
	})
	all = p.tooMuch(all)
	p.noRoom(all)
	if len(p.plan.Delete) > s.Limit {
		p.plan.Delete = p.plan.Delete[:s.Limit]
	}
	return p.plan
}

// candidates returns what is not locked.
func (s *State) candidates() []candidate {
	all := make([]candidate, 0, len(s.Segments))
	for _, seg := range s.Segments {
		c, known := s.Cameras[seg.Camera]
		r := recordings.Range{From: seg.Start, To: max(seg.End, seg.Start+1)}
		if !known || touches(c.Locks, r, 0, 0) {
			continue
		}
		c.setDefaults()
		one := candidate{Segment: seg, age: seg.End, clock: seg.Start >= clockSet && seg.Start <= s.Now.Add(clockAhead)}
		if !one.clock {
			one.age = min(s.Started, s.Now)
		}
		one.event = touches(c.Events, r, c.Before, c.After)
		if one.rank = one.age; one.event {
			one.rank = one.rank.Add(c.bonus())
		}
		if seg.Start < clockSet {
			one.rank = seg.Start // whenever it was, it was before the others
		}
		all = append(all, one)
	}
	return all
}

// touches reports whether a range overlaps one of the list, each of which begins
// before earlier and ends after later than it says. One that lasts no time is a
// microsecond long.
func touches(list []recordings.Range, r recordings.Range, before, after time.Duration) bool {
	for _, o := range list {
		if r.Overlaps(recordings.Range{From: o.From.Add(-before), To: max(o.To, o.From+1).Add(after)}) {
			return true
		}
	}
	return false
}

// planner collects a plan.
type planner struct {
	state State
	plan  Plan
	bytes map[string]int64 // what is left of each camera and is not locked
	freed map[string]int64 // room made in each directory
}

func (p *planner) delete(c candidate, why Reason) {
	p.plan.Delete = append(p.plan.Delete, Deletion{c.Segment, why})
	p.bytes[c.Camera] -= c.Bytes
	p.freed[c.Dir] += c.Bytes
}

// tooOld deletes what is, and returns the rest.
func (p *planner) tooOld(all []candidate) []candidate {
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(a.age, b.age) })
	newest := make(map[recordings.Stream]int) // generation of what is too old
	for _, c := range all {
		rules := p.state.Cameras[c.Camera].Rules
		if c.clock && rules.expired(p.state.age(c.age), c.event) {
			newest[c.Stream] = max(newest[c.Stream], c.Generation+1)
		}
	}
	return slices.DeleteFunc(all, func(c candidate) bool {
		rules := p.state.Cameras[c.Camera].Rules
		old := rules.expired(p.state.age(c.age), c.event)
		// Something recorded later is too old.
		if !c.clock && c.Generation < newest[c.Stream] && !c.event {
			old = true
		}
		if old {
			p.delete(c, TooOld)
		}
		return old
	})
}

// tooMuch deletes what cameras have too much of, and returns the rest.
func (p *planner) tooMuch(all []candidate) []candidate {
	return slices.DeleteFunc(all, func(c candidate) bool {
		limit := p.state.Cameras[c.Camera].MaxBytes
		if limit <= 0 || p.bytes[c.Camera] <= limit {
			return false
		}
		p.delete(c, TooMuch)
		return true
	})
}

// noRoom deletes what stands where room is needed.
func (p *planner) noRoom(all []candidate) {
	s := p.shares()
	for _, d := range p.state.Disks {
		if d.Free >= d.Low {
			continue
		}
		all = p.makeRoom(d, all, &s)
		if missing := d.Low - d.Free - p.freed[d.ID]; missing > 0 {
			p.plan.Short = append(p.plan.Short, Shortage{d, missing})
		}
	}
}
