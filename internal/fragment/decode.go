package fragment

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// Decode is the inverse of Encode. The units share memory with b. Errors wrap
// ErrMalformed.
func Decode(b []byte) (*Fragment, error) {
	h, err := DecodeHead(b)
	if err != nil {
		return nil, err
	}
	rest := b[h.Bytes:]
	if len(rest) != h.VideoBytes+h.AudioBytes {
		return nil, fmt.Errorf("decode a fragment: %w: %d bytes follow the head, and there should be %d", ErrMalformed, len(rest), h.VideoBytes+h.AudioBytes)
	}
	f, err := h.Payload(rest[:h.VideoBytes:h.VideoBytes], rest[h.VideoBytes:])
	if err != nil {
		return nil, fmt.Errorf("decode a fragment: %w", err)
	}
	return f, nil
}

// DecodeHead reads the head that b begins with; it may go on with the payload.
// Errors wrap ErrMalformed.
func DecodeHead(b []byte) (*Head, error) {
	if len(b) < fixed || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("decode a fragment: %w: no fragment begins so", ErrMalformed)
	}
	if b[4] != version {
		return nil, fmt.Errorf("decode a fragment: %w: version %d, and this program reads %d", ErrMalformed, b[4], version)
	}
	n := binary.BigEndian.Uint32(b[6:])
	if n > MaxHead || int(n) > len(b)-fixed {
		return nil, fmt.Errorf("decode a fragment: %w: a head of %d bytes in %d", ErrMalformed, n, len(b))
	}
	r := &reader{b: b[fixed : fixed+int(n)]}
	h := &Head{Bytes: fixed + int(n)}
	r.head(h, b[5])
	if r.failed == "" && len(r.b) > 0 {
		r.fail("something follows its head")
	}
	if r.failed != "" {
		return nil, fmt.Errorf("decode a fragment: %w: %s", ErrMalformed, r.failed)
	}
	return h, nil
}

// reader takes a head apart. After the first failure it returns zeros.
type reader struct {
	b      []byte
	failed string
}

func (r *reader) fail(why string) {
	if r.failed == "" {
		r.failed = why
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("its head ends early")
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

// number reads an unsigned number of at most limit.
func (r *reader) number(limit uint64) int64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > limit || size > 1 && r.b[size-1] == 0 {
		r.fail("a number is wrong")
		return 0
	}
	r.b = r.b[size:]
	return int64(n)
}

func (r *reader) signed() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 || size > 1 && r.b[size-1] == 0 {
		r.fail("a number is wrong")
		return 0
	}
	r.b = r.b[size:]
	return n
}

// nonzero reads a number that would have been left out if it were zero.
func (r *reader) nonzero() int64 {
	n := r.signed()
	if n == 0 {
		r.fail("a number is there in vain")
	}
	return n
}

func (r *reader) head(h *Head, flags byte) {
	switch flags & (flagInterruption | flagRestart) {
	case 0:
	case flagInterruption:
		h.Joint = Interruption
	case flagRestart:
		h.Joint = Restart
	default:
		r.fail("it has two joints")
	}
	if flags&^(flagAudio|flagCut|flagInterruption|flagRestart) != 0 {
		r.fail("it has an unknown flag")
	}
	h.Cut = flags&flagCut != 0
	start := r.signed()
	h.Duration = time.Duration(r.number(uint64(math.MaxInt64/time.Microsecond))) * time.Microsecond
	r.track(&h.VideoTrack)
	if flags&flagAudio != 0 {
		h.AudioTrack = &codecs.Track{}
		r.track(h.AudioTrack)
	}
	if r.failed != "" {
		return
	}
	h.video = r.units(MaxPictures, h.VideoTrack.ClockRate, start)
	if h.AudioTrack != nil && r.failed == "" {
		h.audio = r.units(MaxSounds, h.AudioTrack.ClockRate, start)
	}
	if r.failed != "" {
		return
	}
	if len(h.video) == 0 || !h.video[0].key || h.video[0].at != start {
		r.fail("it does not begin with a key frame")
		return
	}
	h.VideoBytes, h.AudioBytes = total(h.video), total(h.audio)
	if h.VideoBytes+h.AudioBytes > MaxBytes {
		r.fail("it has too many bytes")
	}
}

func total(shapes []shape) int {
	n := 0
	for i := range shapes {
		n += shapes[i].bytes()
	}
	return n
}

func (r *reader) track(t *codecs.Track) {
	t.Codec = codecs.Codec(r.byte())
	t.ClockRate = int(r.number(math.MaxInt32))
	t.Channels = int(r.number(math.MaxUint8))
	for _, set := range sets(t) {
		n := int(r.number(maxSet))
		if n > len(r.b) {
			r.fail("its head ends early")
		}
		if n > 0 && r.failed == "" {
			*set = append([]byte(nil), r.b[:n]...)
			r.b = r.b[n:]
		}
	}
	if t.ClockRate <= 0 {
		r.fail("a track has no clock")
	}
}

// units is the inverse of appendUnits.
func (r *reader) units(limit uint64, clock int, start int64) []shape {
	n := int(r.number(limit))
	if n > len(r.b) {
		r.fail("its head ends early") // each unit takes more than a byte
	}
	if n == 0 || r.failed != "" {
		return nil
	}
	out := make([]shape, n)
	first := r.signed()
	pts, step, shift, bytes := first, int64(0), start, int64(0)
	for i := range out {
		f := r.byte()
		if f&^(unitKey|unitDiscardable|unitStep|unitExact|unitOne) != 0 {
			r.fail("a unit has an unknown flag")
		}
		if f&unitStep == 0 {
			if step += r.nonzero(); i == 0 {
				r.fail("the first unit has a step")
			}
		}
		if f&unitExact == 0 {
			shift += r.nonzero()
		}
		pts += step
		elements := int64(1)
		if f&unitOne == 0 {
			if elements = r.number(nal.MaxUnits); elements < 2 {
				r.fail("a unit has no element, or hides that it has one")
			}
		}
		if elements > int64(len(r.b)) {
			r.fail("its head ends early")
		}
		if r.failed != "" {
			return nil
		}
		out[i] = shape{pts: pts, at: shift + ticksToMicros(pts-first, clock), key: f&unitKey != 0, discardable: f&unitDiscardable != 0, sizes: make([]uint32, elements)}
		for j := range out[i].sizes {
			size := r.number(MaxBytes)
			if bytes += size; bytes > MaxBytes {
				r.fail("it has too many bytes")
			}
			out[i].sizes[j] = uint32(size)
		}
		if r.failed != "" {
			return nil
		}
	}
	return out
}
