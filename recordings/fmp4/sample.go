package fmp4

// sample is an entry of a trun box (ISO/IEC 14496-12 §8.8.8).
type sample struct {
	duration, size, flags uint32
	offset                int32 // of the composition
}

// Sample flags (§8.8.3.1).
const (
	flagIndependent = 2 << 24 // depends on no other sample
	flagDependent   = 1 << 24
	flagDisposable  = 2 << 22 // no other sample depends on it
	flagNonSync     = 1 << 16
)

// Limits of a fragment.
const (
	// maxSamples is how many frames of a track it holds.
	maxSamples = 1 << 16
	// nalLength is the number of bytes of a NAL unit's length.
	nalLength = 4
)
