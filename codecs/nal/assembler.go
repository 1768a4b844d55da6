package nal

import (
	"bytes"

	"github.com/sightline-cam/sightline/codecs"
)

// Limits of what an Assembler holds back for the next picture.
const (
	maxPendingUnits = 64
	maxPendingBytes = 64 << 10
)

// Assembler makes clean access units of the NAL units that a camera sends. Make
// one by h264.NewAssembler or h265.NewAssembler, for every connection anew. Not
// safe for concurrent use.
//
// What it guarantees of a unit:
//
//   - It has a picture. NAL units that come without one (parameter sets under a
//     time stamp of their own) go with the next picture.
//   - Delimiters, filler, ends of sequence and stream, enhancement layers,
//     reserved types and damaged NAL units are gone; supplemental enhancement
//     information stays.
//   - A key unit begins with VPS (H.265), SPS and all PPSs of its sequence, once
//     each, whether the camera sent them now, before, or out of band.
//   - Other units keep the parameter sets that the camera sent with them.
type Assembler struct {
	syntax  Syntax
	track   codecs.Track
	sets    ParameterSets
	pending []item
	// pendingBytes is the sum of the lengths in pending.
	pendingBytes int
	// scratch is reused by every call of sort.
	scratch []item
}

// item is a NAL unit and what it was found to be.
type item struct {
	unit       []byte
	class      Class
	id, parent uint32 // of a parameter set
	slice      Slice  // of a Picture
}

// NewAssembler returns an assembler for a stream of the given track, whose
// parameter sets are used until others arrive.
func NewAssembler(s Syntax, t codecs.Track) *Assembler {
	a := &Assembler{syntax: s, track: t}
	a.learn(a.sort([][]byte{t.VPS, t.SPS, t.PPS}))
	return a
}

// Track returns the track with the parameter sets of the newest key unit, or
// those given to begin with.
func (a *Assembler) Track() codecs.Track { return a.track }

// Assemble makes an access unit of all the NAL units of one time stamp, in the
// order received. The result shares memory with them: they must not be changed
// afterwards.
func (a *Assembler) Assemble(units [][]byte) AccessUnit {
	items := a.sort(units)
	a.learn(items)
	au, first, pictures := a.inspect(items)
	if pictures == 0 {
		a.hold(items)
		return AccessUnit{}
	}
	active, known := a.sets.Active(first.PPS)
	known = known && (active.VPS != nil || a.syntax.Codec() != codecs.H265)
	au.Undecodable = !known
	au.Key = first.Key && known
	au.Continues = !first.First
	if known && (au.Key || au.RecoveryPoint || a.track.SPS == nil) {
		au.Changed = a.use(active)
	}
	au.Payload = a.payload(items, au.Key, active)
	clear(items) // hold on to no memory of the caller's
	a.pending, a.pendingBytes = nil, 0
	return au
}

// sort says what the units are and leaves out those that are unwanted or
// malformed. The result is valid until the next call.
func (a *Assembler) sort(units [][]byte) []item {
	items := a.scratch[:0]
	for _, u := range units {
		if len(u) == 0 {
			continue
		}
		it, ok := item{unit: u, class: a.syntax.Class(u)}, true
		switch it.class {
		case Unwanted:
			ok = false
		case VPS, SPS, PPS:
			it.id, it.parent, ok = a.syntax.ParameterSet(u)
		case Picture:
			it.slice, ok = a.syntax.Slice(u, a.track.SPS)
		case SEI, Continuation:
		}
		if ok {
			items = append(items, it)
		}
	}
	a.scratch = items
	return items
}

// learn stores the parameter sets among the items, the PPSs last.
func (a *Assembler) learn(items []item) {
	for _, it := range items {
		switch it.class {
		case VPS:
			a.sets.PutVPS(it.id, it.unit)
		case SPS:
			a.sets.PutSPS(it.id, it.parent, it.unit)
		case PPS, Unwanted, SEI, Picture, Continuation:
		}
	}
	for _, it := range items {
		if it.class == PPS {
			a.sets.PutPPS(it.id, it.parent, it.unit)
		}
	}
}

// inspect returns what the pictures among the items say, the first slice, and
// the number of slices.
func (a *Assembler) inspect(items []item) (au AccessUnit, first Slice, pictures int) {
	au.Discardable = true
	for _, it := range items {
		switch it.class {
		case SEI:
			au.RecoveryPoint = au.RecoveryPoint || a.syntax.RecoveryPoint(it.unit)
		case Picture:
			if pictures == 0 {
				first = it.slice
			}
			pictures++
			au.Discardable = au.Discardable && it.slice.Discardable
			au.Reordered = au.Reordered || it.slice.Reordered
		case Unwanted, VPS, SPS, PPS, Continuation:
		}
	}
	return au, first, pictures
}

// use makes the active parameter sets those of the track and reports whether
// that changed it.
func (a *Assembler) use(active Active) bool {
	if bytes.Equal(a.track.VPS, active.VPS) && bytes.Equal(a.track.SPS, active.SPS) && bytes.Equal(a.track.PPS, active.PPS) {
		return false
	}
	a.track.VPS, a.track.SPS, a.track.PPS = active.VPS, active.SPS, active.PPS
	return true
}

// payload returns the units held back and the new ones, for a key unit with the
// active parameter sets instead of their own.
func (a *Assembler) payload(items []item, key bool, active Active) [][]byte {
	n := len(a.pending) + len(items)
	if key {
		n += len(a.sets.pps) + 2
	}
	out := make([][]byte, 0, n)
	if key {
		out = a.sets.Append(out, active)
	}
	for _, list := range [2][]item{a.pending, items} {
		for _, it := range list {
			if key && it.class.parameterSet() {
				continue
			}
			out = append(out, it.unit)
		}
	}
	return out
}

// hold keeps units that came without a picture for the next one.
func (a *Assembler) hold(items []item) {
	for _, it := range items {
		if it.class == Continuation {
			continue
		}
		if len(a.pending) == maxPendingUnits || a.pendingBytes+len(it.unit) > maxPendingBytes {
			return
		}
		a.pending = append(a.pending, it)
		a.pendingBytes += len(it.unit)
	}
}
