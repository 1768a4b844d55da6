package nal

import "bytes"

// Limits of what ParameterSets keeps: the ranges of the identifiers (ITU-T H.264
// §7.4.2, H.265 §7.4.3), and a size in bytes that holds every scaling list.
const (
	maxVPS           = 16
	maxSPS           = 32
	maxPPS           = 256
	maxParameterSize = 4096
)

// ParameterSets keeps the newest parameter sets of a stream by their numbers.
// The zero value is empty and ready for use. Not safe for concurrent use.
type ParameterSets struct {
	vps map[uint32]parameterSet
	sps map[uint32]parameterSet
	pps map[uint32]parameterSet
	// generation counts new contents of sequence parameter sets.
	generation uint64
}

// parameterSet is one stored parameter set. Its bytes are never changed.
type parameterSet struct {
	unit   []byte
	parent uint32
	// generation is, of an SPS, when its content last changed; of a PPS, that
	// of its SPS when the PPS was last received.
	generation uint64
}

// PutVPS keeps a copy of an H.265 video parameter set.
func (p *ParameterSets) PutVPS(id uint32, unit []byte) {
	if id >= maxVPS || len(unit) > maxParameterSize || bytes.Equal(p.vps[id].unit, unit) {
		return
	}
	if p.vps == nil {
		p.vps = make(map[uint32]parameterSet)
	}
	p.vps[id] = parameterSet{unit: bytes.Clone(unit)}
}

// PutSPS keeps a copy of a sequence parameter set. vps is the number of the
// video parameter set it refers to (H.265).
func (p *ParameterSets) PutSPS(id, vps uint32, unit []byte) {
	if id >= maxSPS || len(unit) > maxParameterSize || bytes.Equal(p.sps[id].unit, unit) {
		return
	}
	if p.sps == nil {
		p.sps = make(map[uint32]parameterSet)
	}
	p.generation++
	p.sps[id] = parameterSet{unit: bytes.Clone(unit), parent: vps, generation: p.generation}
}

// PutPPS keeps a copy of a picture parameter set, which refers to the sequence
// parameter set with the number sps. Of parameter sets that arrive together,
// sequence parameter sets have to be put first.
func (p *ParameterSets) PutPPS(id, sps uint32, unit []byte) {
	if id >= maxPPS || len(unit) > maxParameterSize {
		return
	}
	if p.pps == nil {
		p.pps = make(map[uint32]parameterSet)
	}
	kept := p.pps[id].unit
	if !bytes.Equal(kept, unit) {
		kept = bytes.Clone(unit)
	}
	p.pps[id] = parameterSet{unit: kept, parent: sps, generation: p.sps[sps].generation}
}

// Active returns the parameter sets that a picture refers to by the number of
// its PPS; ok is false if PPS or SPS is missing. VPS is nil if there is none.
func (p *ParameterSets) Active(pps uint32) (a Active, ok bool) {
	picture, ok := p.pps[pps]
	if !ok {
		return Active{}, false
	}
	sequence, ok := p.sps[picture.parent]
	if !ok {
		return Active{}, false
	}
	return Active{
		VPS: p.vps[sequence.parent].unit,
		SPS: sequence.unit,
		PPS: picture.unit,
		sps: picture.parent,
		pps: pps,
	}, true
}

// Append appends the active VPS, the SPS and, in rising order of their numbers,
// all the PPSs that later pictures of the sequence may refer to. A PPS that was
// last received before its SPS got a new content is left out if others came
// since: it belongs to the previous sequence.
func (p *ParameterSets) Append(dst [][]byte, a Active) [][]byte {
	if a.VPS != nil {
		dst = append(dst, a.VPS)
	}
	dst = append(dst, a.SPS)
	oldest := uint64(0)
	if current := p.sps[a.sps].generation; p.pps[a.pps].generation == current {
		oldest = current
	}
	for id, n := uint32(0), 0; id < maxPPS && n < len(p.pps); id++ {
		set, ok := p.pps[id]
		if !ok {
			continue
		}
		n++
		if set.parent == a.sps && set.generation >= oldest {
			dst = append(dst, set.unit)
		}
	}
	return dst
}

// Active is the chain of parameter sets that a picture refers to, as NAL units.
// They must not be changed.
type Active struct {
	VPS, SPS, PPS []byte

	sps, pps uint32
}
