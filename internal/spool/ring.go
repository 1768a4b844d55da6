package spool

import (
	"cmp"
	"slices"
)

// ring has the records of one rendition, in order. The spool's mutex guards it.
type ring struct {
	records []*record
	memory  int64 // bytes of those in memory
}

// perRecord is what a record in memory takes beside its fragment.
const perRecord = 512

func (g *ring) add(r *record) {
	g.records = append(g.records, r)
	g.memory += int64(len(r.memory)) + perRecord
}

// trim forgets the oldest fragments in memory beyond a bound. Those that are on
// disk stay in the list.
func (g *ring) trim(bound int64) (gone int) {
	keep := g.records[:0]
	for i, r := range g.records {
		if g.memory <= bound {
			keep = append(keep, g.records[i:]...)
			break
		}
		if r.memory != nil {
			g.memory -= int64(len(r.memory)) + perRecord
			r.memory = nil
		}
		if r.file != nil {
			keep = append(keep, r)
		} else {
			gone++
		}
	}
	clear(g.records[len(keep):])
	g.records = keep
	return gone
}

// forget takes out the records of a file that is gone, but those that are in
// memory too.
func (g *ring) forget(f *logFile) {
	g.records = slices.DeleteFunc(g.records, func(r *record) bool {
		if r.file != f {
			return false
		}
		r.file = nil
		return r.memory == nil
	})
}

// after returns the place of the first record with a greater number.
func (g *ring) after(seq uint64) int {
	i, found := g.find(seq)
	if found {
		i++
	}
	return i
}

func (g *ring) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(g.records, seq, func(r *record, s uint64) int { return cmp.Compare(r.seq, s) })
}
