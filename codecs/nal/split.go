package nal

import (
	"bytes"
	"errors"
	"fmt"
)

// MaxUnits is the largest number of NAL units that SplitAnnexB and
// SplitLengthPrefixed return for one buffer, far above what an access unit has.
const MaxUnits = 4096

// ErrMalformed says that bytes are not what they should be. The errors of this
// package and of h264 and h265 about foreign bytes wrap it.
var ErrMalformed = errors.New("malformed")

// SplitAnnexB returns the NAL units of a byte stream (ITU-T H.264 and H.265,
// Annex B) without their start codes and without zero bytes that follow them.
// Bytes before the first start code and empty NAL units are skipped. The result
// shares memory with stream; only the list is allocated. The last NAL unit ends
// where stream does: the caller has to hand over whole ones.
//
// The error wraps ErrMalformed: there is no start code, or there are more than
// MaxUnits NAL units (the first MaxUnits are returned).
func SplitAnnexB(stream []byte) ([][]byte, error) {
	i := bytes.Index(stream, startCode())
	if i < 0 {
		return nil, fmt.Errorf("split byte stream: no start code in %d bytes: %w", len(stream), ErrMalformed)
	}
	var units [][]byte
	for rest := stream[i+3:]; ; {
		unit := rest
		next := bytes.Index(rest, startCode())
		if next >= 0 {
			unit, rest = rest[:next], rest[next+3:]
		}
		if unit = bytes.TrimRight(unit, "\x00"); len(unit) > 0 {
			if len(units) == MaxUnits {
				return units, fmt.Errorf("split byte stream: more than %d NAL units: %w", MaxUnits, ErrMalformed)
			}
			units = append(units, unit[:len(unit):len(unit)])
		}
		if next < 0 {
			return units, nil
		}
	}
}

// startCode returns start_code_prefix_one_3bytes; a preceding zero byte counts
// as belonging to what comes before it.
func startCode() []byte { return []byte{0, 0, 1} }

// SplitLengthPrefixed returns the NAL units of a sample of an MP4 file (ISO/IEC
// 14496-15), each of which follows its length in lengthSize bytes (1, 2 or 4),
// most significant first. Empty ones are skipped. The result shares memory with
// sample.
//
// The error wraps ErrMalformed: a NAL unit is cut off, or there are more than
// MaxUnits; what comes before is returned.
func SplitLengthPrefixed(sample []byte, lengthSize int) ([][]byte, error) {
	if lengthSize != 1 && lengthSize != 2 && lengthSize != 4 {
		return nil, fmt.Errorf("split sample: length fields of %d bytes: %w", lengthSize, ErrMalformed)
	}
	var units [][]byte
	for rest := sample; len(rest) > 0; {
		if len(rest) < lengthSize {
			return units, fmt.Errorf("split sample: cut off in a length field: %w", ErrMalformed)
		}
		var n uint64
		for _, b := range rest[:lengthSize] {
			n = n<<8 | uint64(b)
		}
		rest = rest[lengthSize:]
		if n > uint64(len(rest)) {
			return units, fmt.Errorf("split sample: NAL unit of %d bytes, %d left: %w", n, len(rest), ErrMalformed)
		}
		if n > 0 {
			if len(units) == MaxUnits {
				return units, fmt.Errorf("split sample: more than %d NAL units: %w", MaxUnits, ErrMalformed)
			}
			units = append(units, rest[:n:n])
		}
		rest = rest[n:]
	}
	return units, nil
}
