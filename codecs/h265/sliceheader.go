package h265

import (
	"fmt"

	"github.com/sightline-cam/sightline/codecs/nal"
)

// SliceHeader is the beginning of a slice segment header (ITU-T H.265
// §7.3.6.1). The slice's type is not part of it: B slices are the rule in H.265,
// also where nothing is reordered.
type SliceHeader struct {
	// First marks the first slice segment of a picture.
	First bool
	// PPS is the number of the picture parameter set in use, up to 63.
	PPS uint32
}

// maxPPS is the highest number of a picture parameter set (§7.4.3.3.1).
const maxPPS = 63

// ParseSlice parses the beginning of a slice segment. The error wraps
// nal.ErrMalformed.
func ParseSlice(unit []byte) (SliceHeader, error) {
	if t := TypeOf(unit); !t.VCL() {
		return SliceHeader{}, fmt.Errorf("parse slice segment header: NAL unit of type %d: %w", t, nal.ErrMalformed)
	}
	h, ok := parseSlice(unit)
	if !ok {
		return SliceHeader{}, fmt.Errorf("parse slice segment header: %w", nal.ErrMalformed)
	}
	return h, nil
}

func parseSlice(unit []byte) (SliceHeader, bool) {
	r := nal.NewBitReader(unit[headerSize:])
	h := SliceHeader{First: r.Flag()}
	if TypeOf(unit).IRAP() {
		r.Bit() // no_output_of_prior_pics_flag
	}
	h.PPS = r.UE()
	return h, !r.Failed() && h.PPS <= maxPPS
}
