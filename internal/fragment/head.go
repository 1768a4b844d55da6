package fragment

import (
	"fmt"
	"math"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// Head is everything of a fragment but the bytes of its units: their times, their
// kinds and the lengths of their elements. Whoever has received the units by
// another way makes the fragment of them.
type Head struct {
	// VideoTrack and AudioTrack are the fragment's.
	VideoTrack codecs.Track
	AudioTrack *codecs.Track
	// Duration, Joint and Cut are the fragment's.
	Duration time.Duration
	Joint    Joint
	Cut      bool
	// VideoBytes and AudioBytes are how much payload follows the head.
	VideoBytes, AudioBytes int
	// Bytes is how long the head itself is.
	Bytes int

	video, audio []shape
}

// shape is a unit without its bytes.
type shape struct {
	pts, at          int64
	key, discardable bool
	sizes            []uint32 // of the elements
}

func (s *shape) bytes() int {
	n := 0
	for _, size := range s.sizes {
		n += int(size)
	}
	return n
}

// Start is when the key frame was captured, in microseconds since the Unix epoch.
func (h *Head) Start() int64 { return h.video[0].at }

// PTS is that of the key frame.
func (h *Head) PTS() int64 { return h.video[0].pts }

// Pictures and Sounds are how many units of each kind there are.
func (h *Head) Pictures() int { return len(h.video) }

// Sounds is how many units of sound there are.
func (h *Head) Sounds() int { return len(h.audio) }

// Span returns the first and the last time that a unit was captured, in microseconds
// since the Unix epoch.
func (h *Head) Span() (first, last int64) {
	first, last = h.Start(), h.Start()
	for _, units := range [][]shape{h.video, h.audio} {
		for i := range units {
			first, last = min(first, units[i].at), max(last, units[i].at)
		}
	}
	return first, last
}

// Even reports whether the units are as far apart by their PTS as by the times at
// which they were captured, but for that much.
func (h *Head) Even(tolerance time.Duration) bool {
	even := func(units []shape, clock int) bool {
		for i := range units {
			ticks := units[i].pts - units[0].pts
			if ticks < math.MinInt64/2 || ticks > math.MaxInt64/2 {
				return false
			}
			apart := float64(ticks)/float64(clock)*1e6 - float64(units[i].at-units[0].at)
			if math.Abs(apart) > float64(tolerance.Microseconds()) {
				return false
			}
		}
		return true
	}
	return even(h.video, h.VideoTrack.ClockRate) && (h.AudioTrack == nil || even(h.audio, h.AudioTrack.ClockRate))
}

// perUnit is what a unit of a head takes in memory, beside the lengths of its
// elements.
const perUnit = 64

// Memory is about how many bytes the head takes in memory: many times more than when
// it is encoded.
func (h *Head) Memory() int {
	n := 512 + perUnit*(len(h.video)+len(h.audio))
	for _, units := range [][]shape{h.video, h.audio} {
		for i := range units {
			n += 4 * cap(units[i].sizes)
		}
	}
	return n
}

// Make returns the fragment of payloads received by another way, which must have
// the lengths that the head says. The bytes are shared. Errors wrap ErrMalformed.
func (h *Head) Make(video, audio []*codecs.Unit) (*Fragment, error) {
	f := h.fragment()
	var err error
	if f.Video, err = join(h.video, video, 0); err != nil {
		return nil, fmt.Errorf("put a fragment together: pictures: %w", err)
	}
	if f.Audio, err = join(h.audio, audio, 1); err != nil {
		return nil, fmt.Errorf("put a fragment together: sound: %w", err)
	}
	return f, nil
}

// Payload is Make for the bytes that follow the head: audioBytes may be cut off, or
// come from elsewhere. The bytes are shared. Errors wrap ErrMalformed.
func (h *Head) Payload(videoBytes, audioBytes []byte) (*Fragment, error) {
	if len(videoBytes) != h.VideoBytes || len(audioBytes) != h.AudioBytes {
		return nil, fmt.Errorf("%w: it has %d and %d bytes of payload, and should have %d and %d", ErrMalformed,
			len(videoBytes), len(audioBytes), h.VideoBytes, h.AudioBytes)
	}
	f := h.fragment()
	f.Video, f.Audio = cut(h.video, videoBytes, 0), cut(h.audio, audioBytes, 1)
	return f, nil
}

func (h *Head) fragment() *Fragment {
	return &Fragment{VideoTrack: h.VideoTrack, AudioTrack: h.AudioTrack, Duration: h.Duration, Joint: h.Joint, Cut: h.Cut}
}

// unit makes a unit of a shape.
func (s *shape) unit(track int) *codecs.Unit {
	return &codecs.Unit{Track: track, PTS: s.pts, At: s.at, Key: s.key, Discardable: s.discardable}
}

// join gives the units their bytes.
func join(shapes []shape, units []*codecs.Unit, track int) ([]*codecs.Unit, error) {
	if len(units) != len(shapes) {
		return nil, fmt.Errorf("%w: %d units, and there should be %d", ErrMalformed, len(units), len(shapes))
	}
	if len(units) == 0 {
		return nil, nil
	}
	out := make([]*codecs.Unit, len(units))
	for i, u := range units {
		s := &shapes[i]
		if len(u.Payload) != len(s.sizes) {
			return nil, fmt.Errorf("%w: unit %d has %d elements, and should have %d", ErrMalformed, i, len(u.Payload), len(s.sizes))
		}
		for j, p := range u.Payload {
			if len(p) != int(s.sizes[j]) {
				return nil, fmt.Errorf("%w: element %d of unit %d has %d bytes, and should have %d", ErrMalformed, j, i, len(p), s.sizes[j])
			}
		}
		out[i] = s.unit(track)
		out[i].Payload = u.Payload
	}
	return out, nil
}

// cut cuts the bytes into units; there are as many as the shapes want.
func cut(shapes []shape, data []byte, track int) []*codecs.Unit {
	if len(shapes) == 0 {
		return nil
	}
	out := make([]*codecs.Unit, len(shapes))
	for i := range shapes {
		s := &shapes[i]
		out[i] = s.unit(track)
		out[i].Payload = make([][]byte, len(s.sizes))
		for j, size := range s.sizes {
			out[i].Payload[j] = data[:size:size]
			data = data[size:]
		}
	}
	return out
}

// FitsVideo reports whether these can be the pictures, by the lengths of their
// elements: only the digest tells for sure.
func (h *Head) FitsVideo(units []*codecs.Unit) bool { return fits(h.video, units) }

// FitsAudio is the same for the sound.
func (h *Head) FitsAudio(units []*codecs.Unit) bool { return fits(h.audio, units) }

// BeginsWith reports whether this can be the key frame.
func (h *Head) BeginsWith(u *codecs.Unit) bool { return fits(h.video[:1], []*codecs.Unit{u}) }

func fits(shapes []shape, units []*codecs.Unit) bool {
	if len(units) != len(shapes) {
		return false
	}
	for i, u := range units {
		if len(u.Payload) != len(shapes[i].sizes) {
			return false
		}
		for j, p := range u.Payload {
			if len(p) != int(shapes[i].sizes[j]) {
				return false
			}
		}
	}
	return true
}

// WithoutSound returns the head of the same pictures without any sound.
func (h *Head) WithoutSound() *Head {
	silent := *h
	silent.AudioTrack, silent.AudioBytes, silent.audio = nil, 0, nil
	return &silent
}

// Sound cuts the bytes of the fragment's sound, the last AudioBytes of it, into
// units. Errors wrap ErrMalformed.
func (h *Head) Sound(audioBytes []byte) ([]*codecs.Unit, error) {
	if len(audioBytes) != h.AudioBytes {
		return nil, fmt.Errorf("%w: %d bytes of sound, and there should be %d", ErrMalformed, len(audioBytes), h.AudioBytes)
	}
	return cut(h.audio, audioBytes, 1), nil
}
