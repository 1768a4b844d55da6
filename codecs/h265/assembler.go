package h265

import (
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// NewAssembler returns an assembler for an H.265 stream; the track's VPS, SPS
// and PPS are used until others arrive.
func NewAssembler(t codecs.Track) *nal.Assembler { return nal.NewAssembler(syntax{}, t) }

// syntax implements nal.Syntax.
type syntax struct{}

func (syntax) Codec() codecs.Codec { return codecs.H265 }

// Class leaves out, besides delimiters and filler, the layers above the base
// layer, and units whose forbidden_zero_bit a gateway set because they are
// damaged.
func (syntax) Class(unit []byte) nal.Class {
	if len(unit) < headerSize || unit[0]&0x80 != 0 || layerID(unit) != 0 {
		return nal.Unwanted
	}
	switch t := TypeOf(unit); {
	case t.VCL():
		return nal.Picture
	case t == VPS:
		return nal.VPS
	case t == SPS:
		return nal.SPS
	case t == PPS:
		return nal.PPS
	case t == PrefixSEI:
		return nal.SEI
	case t == SuffixSEI:
		return nal.Continuation
	}
	return nal.Unwanted
}

// ParameterSet reads the numbers of a VPS (§7.3.2.1), an SPS (§7.3.2.2.1) or a
// PPS (§7.3.2.3.1).
func (syntax) ParameterSet(unit []byte) (id, parent uint32, ok bool) {
	r := nal.NewBitReader(unit[headerSize:])
	switch TypeOf(unit) {
	case VPS:
		id = r.Bits(4)
	case SPS:
		parent = r.Bits(4)
		subLayers := r.Bits(3)
		r.Bit() // sps_temporal_id_nesting_flag
		skipProfileTierLevel(r, subLayers)
		id = r.UE()
	case PPS:
		id, parent = r.UE(), r.UE()
	default:
		return 0, 0, false
	}
	return id, parent, !r.Failed()
}

// skipProfileTierLevel passes over profile_tier_level (§7.3.3) with the given
// number of sub-layers below the highest.
func skipProfileTierLevel(r *nal.BitReader, subLayers uint32) {
	skip := func(n int) {
		for range n {
			r.Bit()
		}
	}
	skip(88) // general profile
	skip(8)  // general level
	if subLayers == 0 {
		return
	}
	bits := 0
	for range subLayers {
		if r.Flag() {
			bits += 88
		}
		if r.Flag() {
			bits += 8
		}
	}
	skip(2*(8-int(subLayers)) + bits)
}

func (syntax) Slice(unit, sps []byte) (nal.Slice, bool) {
	h, ok := parseSlice(unit)
	t := TypeOf(unit)
	return nal.Slice{
		First:       h.First,
		PPS:         h.PPS,
		Key:         t.IRAP(),
		Discardable: t.subLayerNonReference() && temporalID(unit) >= HighestTemporalID(sps),
		Reordered:   t.Leading(),
	}, ok
}

// recoveryPoint is the payloadType of a recovery point message (§D.2.8).
const recoveryPoint = 6

func (syntax) RecoveryPoint(unit []byte) bool { return nal.HasSEI(unit[headerSize:], recoveryPoint) }
