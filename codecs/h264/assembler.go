package h264

import (
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// NewAssembler returns an assembler for an H.264 stream; the track's SPS and PPS
// are used until others arrive.
func NewAssembler(t codecs.Track) *nal.Assembler { return nal.NewAssembler(syntax{}, t) }

// syntax implements nal.Syntax.
type syntax struct{}

func (syntax) Codec() codecs.Codec { return codecs.H264 }

// Class leaves out, besides delimiters and filler, all that a decoder without
// SVC and MVC ignores anyway (ITU-T H.264 Table 7-1, Annex A), and units whose
// forbidden_zero_bit a gateway set because they are damaged.
func (syntax) Class(unit []byte) nal.Class {
	if unit[0]&0x80 != 0 {
		return nal.Unwanted
	}
	switch TypeOf(unit) {
	case Slice, PartitionA, IDR:
		return nal.Picture
	case PartitionB, PartitionC:
		return nal.Continuation
	case SEI:
		return nal.SEI
	case SPS:
		return nal.SPS
	case PPS:
		return nal.PPS
	case AccessUnitDelim, EndOfSequence, EndOfStream, Filler, SPSExtension, Prefix, SubsetSPS,
		AuxiliarySlice, SliceExtension, SliceExtensionView:
	}
	return nal.Unwanted
}

// ParameterSet reads seq_parameter_set_id of an SPS (§7.3.2.1.1), or
// pic_parameter_set_id and seq_parameter_set_id of a PPS (§7.3.2.2).
func (syntax) ParameterSet(unit []byte) (id, parent uint32, ok bool) {
	if TypeOf(unit) == SPS {
		if len(unit) < 5 {
			return 0, 0, false
		}
		r := nal.NewBitReader(unit[1:])
		r.Bits(24) // profile, constraints, level
		id = r.UE()
		return id, 0, !r.Failed()
	}
	r := nal.NewBitReader(unit[1:])
	id, parent = r.UE(), r.UE()
	return id, parent, !r.Failed()
}

func (syntax) Slice(unit, _ []byte) (nal.Slice, bool) {
	h, ok := parseSlice(unit)
	return nal.Slice{
		First:       h.FirstMB == 0,
		PPS:         h.PPS,
		Key:         TypeOf(unit) == IDR,
		Discardable: discardable(unit),
		Reordered:   h.Type == B,
	}, ok
}

// recoveryPoint is the payloadType of a recovery point message (§D.1.8).
const recoveryPoint = 6

func (syntax) RecoveryPoint(unit []byte) bool { return nal.HasSEI(unit[1:], recoveryPoint) }
