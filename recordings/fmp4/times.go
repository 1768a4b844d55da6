package fmp4

import (
	"encoding/binary"
	"fmt"

	"github.com/sightline-cam/sightline/codecs"
)

// times are what MP4 has no place for: when each frame was captured, and by how
// much its presentation time differs from where it is placed in the file.
type times struct {
	units []*codecs.Unit
	// base is the PTS of the segment's media time 0, placed where the units are by
	// the file; nil if exactly where their PTS says.
	base   int64
	placed []int64
}

const (
	timesVersion = 1
	// timesShifted says that the differences of PTS are there.
	timesShifted = 1
	// timesFixed is what precedes the differences: version, flags, the first time.
	timesFixed = 10
	// timesPerFrame is the most that a frame takes.
	timesPerFrame = 2 * binary.MaxVarintLen64
)

// append appends the content of the box.
func (t *times) append(dst []byte, clock int) []byte {
	var flags byte
	for i, p := range t.placed {
		if t.units[i].PTS-t.base != p {
			flags = timesShifted
		}
	}
	dst = append(dst, timesVersion, flags)
	last := t.units[0]
	dst = binary.BigEndian.AppendUint64(dst, uint64(last.At))
	for i, u := range t.units {
		if i > 0 {
			dst = binary.AppendVarint(dst, u.At-last.At-ticksToMicros(u.PTS-last.PTS, clock))
			last = u
		}
		if flags == timesShifted {
			dst = binary.AppendVarint(dst, u.PTS-t.base-t.placed[i])
		}
	}
	return dst
}

// parseTimes sets At of the units, whose PTS is where the file places them, and
// corrects their PTS.
func parseTimes(b []byte, units []*codecs.Unit, clock int) error {
	if len(b) < timesFixed || b[0] != timesVersion {
		return fmt.Errorf("times of %d bytes: %w", len(b), ErrMalformed)
	}
	shifted := b[1] == timesShifted
	at := int64(binary.BigEndian.Uint64(b[2:]))
	b = b[timesFixed:]
	next := func() (v int64, err error) {
		v, n := binary.Varint(b)
		if n <= 0 {
			return 0, fmt.Errorf("times are cut off: %w", ErrMalformed)
		}
		b = b[n:]
		return v, nil
	}
	for i, u := range units {
		var jitter, shift int64
		var err error
		if i > 0 {
			if jitter, err = next(); err != nil {
				return err
			}
		}
		if shifted {
			if shift, err = next(); err != nil {
				return err
			}
		}
		u.PTS += shift
		if i > 0 {
			at += ticksToMicros(u.PTS-units[i-1].PTS, clock) + jitter
		}
		u.At = at
	}
	return nil
}
