package fmp4

import "errors"

var (
	// ErrMalformed says that bytes are not a segment, or not a fragment.
	ErrMalformed = errors.New("not a segment of a recording")
	// ErrTorn says that after the last whole fragment something follows that is
	// none: the end of a write that a crash cut off, or damage.
	ErrTorn = errors.New("no whole fragment")
	// ErrDiscontinuity says that a fragment cannot go into the segment because its
	// times do not follow those before: a new segment has to begin.
	ErrDiscontinuity = errors.New("the times do not follow those before; begin a new segment")
)
