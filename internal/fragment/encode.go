package fragment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

const (
	magic   = "SLGP"
	version = 1
	// fixed is what stands before the head's varying part: magic, version, flags
	// and the length of that part.
	fixed = len(magic) + 1 + 1 + 4
)

// The flags of a fragment.
const (
	flagAudio = 1 << iota
	flagCut
	flagInterruption
	flagRestart
)

// The flags of a unit.
const (
	unitKey         = 1 << iota
	unitDiscardable // no other refers to it
	unitStep        // it is as far from the unit before as that from its own
	unitExact       // its At is as far from the unit's before as its PTS
	unitOne         // it has one element
)

// ErrTooLarge says that a fragment is beyond the limits.
var ErrTooLarge = errors.New("fragment too large")

// Encode returns the fragment as bytes: the head, the elements of the pictures, the
// elements of the sound. Errors wrap ErrTooLarge, or say what is wrong with f.
func Encode(f *Fragment) ([]byte, error) {
	if err := check(f); err != nil {
		return nil, fmt.Errorf("encode a fragment: %w", err)
	}
	videoBytes, audioBytes := size(f.Video), size(f.Audio)
	b := make([]byte, fixed, fixed+256+8*(len(f.Video)+len(f.Audio))+videoBytes+audioBytes)
	copy(b, magic)
	b[4], b[5] = version, flags(f)
	b = appendSigned(b, f.Start())
	b = binary.AppendUvarint(b, uint64(f.Duration.Microseconds()))
	b = appendTrack(b, &f.VideoTrack)
	if f.AudioTrack != nil {
		b = appendTrack(b, f.AudioTrack)
	}
	b = appendUnits(b, f.Video, f.VideoTrack.ClockRate, f.Start())
	if f.AudioTrack != nil {
		b = appendUnits(b, f.Audio, f.AudioTrack.ClockRate, f.Start())
	}
	head := len(b) - fixed
	if len(b) > MaxHead {
		return nil, fmt.Errorf("encode a fragment: %w: a head of %d bytes", ErrTooLarge, head)
	}
	binary.BigEndian.PutUint32(b[6:], uint32(head))
	for _, units := range [][]*codecs.Unit{f.Video, f.Audio} {
		for _, u := range units {
			for _, p := range u.Payload {
				b = append(b, p...)
			}
		}
	}
	return b, nil
}

// check finds what cannot be encoded.
func check(f *Fragment) error {
	switch {
	case len(f.Video) == 0 || !f.Video[0].Key:
		return errors.New("it does not begin with a key frame")
	case len(f.Audio) > 0 && f.AudioTrack == nil:
		return errors.New("it has sound without a track")
	case f.Duration < 0 || f.Duration%time.Microsecond != 0:
		return fmt.Errorf("its duration is %v", f.Duration)
	case f.VideoTrack.ClockRate <= 0 || f.AudioTrack != nil && f.AudioTrack.ClockRate <= 0:
		return errors.New("a track has no clock")
	case len(f.Video) > MaxPictures || len(f.Audio) > MaxSounds || size(f.Video)+size(f.Audio) > MaxBytes:
		return fmt.Errorf("%w: %d pictures and %d units of sound in %d bytes", ErrTooLarge, len(f.Video), len(f.Audio), size(f.Video)+size(f.Audio))
	}
	for _, units := range [][]*codecs.Unit{f.Video, f.Audio} {
		for _, u := range units {
			if len(u.Payload) == 0 || len(u.Payload) > nal.MaxUnits {
				return fmt.Errorf("a unit has %d elements", len(u.Payload))
			}
		}
	}
	for _, t := range []*codecs.Track{&f.VideoTrack, f.AudioTrack} {
		if t == nil {
			continue
		}
		for _, set := range sets(t) {
			if len(*set) > maxSet {
				return fmt.Errorf("%w: a parameter set of %d bytes", ErrTooLarge, len(*set))
			}
		}
	}
	return nil
}

func flags(f *Fragment) byte {
	var b byte
	if f.AudioTrack != nil {
		b |= flagAudio
	}
	if f.Cut {
		b |= flagCut
	}
	switch f.Joint {
	case Interruption:
		b |= flagInterruption
	case Restart:
		b |= flagRestart
	case Direct:
	}
	return b
}

func sets(t *codecs.Track) []*[]byte { return []*[]byte{&t.VPS, &t.SPS, &t.PPS, &t.AudioConfig} }

func appendTrack(b []byte, t *codecs.Track) []byte {
	b = append(b, byte(t.Codec))
	b = binary.AppendUvarint(b, uint64(t.ClockRate))
	b = binary.AppendUvarint(b, uint64(t.Channels))
	for _, set := range sets(t) {
		b = binary.AppendUvarint(b, uint64(len(*set)))
		b = append(b, *set...)
	}
	return b
}

// appendSigned appends a number whose sign is its last bit, so that small negative
// ones are short.
func appendSigned(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

// ticksToMicros converts a distance of PTS to microseconds, rounded down. PTS that
// are nonsense give nonsense, the same one on both sides.
func ticksToMicros(ticks int64, clock int) int64 {
	c := int64(clock)
	return ticks/c*1_000_000 + ticks%c*1_000_000/c
}

// appendUnits appends the shapes of units. The times of each are told by how they
// differ from what the two before make expect, so that a steady stream has none.
func appendUnits(b []byte, units []*codecs.Unit, clock int, start int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(units)))
	var pts, step int64
	first := int64(0)
	shift := start // At minus the time of the PTS since the first unit
	for i, u := range units {
		if i == 0 {
			first, pts = u.PTS, u.PTS
			b = appendSigned(b, first)
		}
		dStep := u.PTS - pts - step
		dShift := u.At - ticksToMicros(u.PTS-first, clock) - shift
		f := byte(0)
		for _, bit := range []struct {
			on  bool
			bit byte
		}{{u.Key, unitKey}, {u.Discardable, unitDiscardable}, {dStep == 0, unitStep}, {dShift == 0, unitExact}, {len(u.Payload) == 1, unitOne}} {
			if bit.on {
				f |= bit.bit
			}
		}
		b = append(b, f)
		if dStep != 0 {
			b = appendSigned(b, dStep)
		}
		if dShift != 0 {
			b = appendSigned(b, dShift)
		}
		if len(u.Payload) != 1 {
			b = binary.AppendUvarint(b, uint64(len(u.Payload)))
		}
		for _, p := range u.Payload {
			b = binary.AppendUvarint(b, uint64(len(p)))
		}
		step += dStep
		shift += dShift
		pts = u.PTS
	}
	return b
}
