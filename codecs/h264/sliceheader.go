package h264

import (
	"fmt"

	"github.com/sightline-cam/sightline/codecs/nal"
)

// SliceType is the kind of prediction of a slice (ITU-T H.264 Table 7-6).
type SliceType uint8

// Slice types; the values 5 to 9 of slice_type, which promise that all slices
// of the picture are alike, are mapped to these.
const (
	P SliceType = iota
	B
	I
	SP
	SI
)

// String returns the usual name of the slice type.
func (t SliceType) String() string {
	if t > SI {
		return "unknown"
	}
	return [...]string{"P", "B", "I", "SP", "SI"}[t]
}

// SliceHeader is the beginning of a slice header (ITU-T H.264 §7.3.3).
type SliceHeader struct {
	// FirstMB is the address of the slice's first macroblock; 0 begins a
	// picture.
	FirstMB uint32
	// Type is the slice's type.
	Type SliceType
	// PPS is the number of the picture parameter set in use, up to 255.
	PPS uint32
}

// ParseSlice parses the beginning of a slice (NAL unit types 1, 2, 5). The error
// wraps nal.ErrMalformed.
func ParseSlice(unit []byte) (SliceHeader, error) {
	switch TypeOf(unit) {
	case Slice, PartitionA, IDR:
	default:
		return SliceHeader{}, fmt.Errorf("parse slice header: NAL unit of type %d: %w", TypeOf(unit), nal.ErrMalformed)
	}
	h, ok := parseSlice(unit)
	if !ok {
		return SliceHeader{}, fmt.Errorf("parse slice header: %w", nal.ErrMalformed)
	}
	return h, nil
}

// maxMacroblocks is the largest picture of any level (ITU-T H.264 Table A-1).
const maxMacroblocks = 139_264

func parseSlice(unit []byte) (SliceHeader, bool) {
	r := nal.NewBitReader(unit[1:])
	first, kind, pps := r.UE(), r.UE(), r.UE()
	if r.Failed() || first >= maxMacroblocks || kind > 9 || pps > 255 {
		return SliceHeader{}, false
	}
	return SliceHeader{FirstMB: first, Type: SliceType(kind % 5), PPS: pps}, true
}
