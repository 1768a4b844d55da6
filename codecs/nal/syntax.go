package nal

import "github.com/sightline-cam/sightline/codecs"

// Syntax is what an Assembler needs to know of a codec. Packages h264 and h265
// implement it. The units given have at least one byte.
type Syntax interface {
	// Codec returns the codec.
	Codec() codecs.Codec
	// Class says what a NAL unit is.
	Class(unit []byte) Class
	// ParameterSet returns the number of a parameter set and that of the one
	// it refers to; ok is false for one that is malformed.
	ParameterSet(unit []byte) (id, parent uint32, ok bool)
	// Slice parses the beginning of a slice; ok is false for one that is
	// malformed. sps is an SPS of the stream, nil while there is none.
	Slice(unit, sps []byte) (s Slice, ok bool)
	// RecoveryPoint reports whether supplemental enhancement information
	// holds a recovery point message.
	RecoveryPoint(unit []byte) bool
}

// Class is what a NAL unit is to an Assembler.
type Class uint8

// The classes of NAL units.
const (
	// Unwanted ones are left out: delimiters, filler, ends of sequences,
	// enhancement layers, reserved types, damaged units.
	Unwanted Class = iota
	// VPS is a video parameter set (H.265).
	VPS
	// SPS is a sequence parameter set.
	SPS
	// PPS is a picture parameter set.
	PPS
	// SEI is supplemental enhancement information before its picture.
	SEI
	// Picture is a slice whose beginning can be parsed.
	Picture
	// Continuation follows a Picture unit of the same picture: a data
	// partition, or supplemental enhancement information that comes after.
	Continuation
)

func (c Class) parameterSet() bool { return c == VPS || c == SPS || c == PPS }

// Slice is what the beginning of a slice says about its picture.
type Slice struct {
	// First marks the first slice of a picture.
	First bool
	// PPS is the number of the picture parameter set in use.
	PPS uint32
	// Key marks an IDR picture (H.264) or an IRAP picture (H.265).
	Key bool
	// Discardable marks a picture that no other refers to.
	Discardable bool
	// Reordered marks a picture that may be shown at another place than it is
	// sent: a B slice (H.264), a leading picture (H.265).
	Reordered bool
}
