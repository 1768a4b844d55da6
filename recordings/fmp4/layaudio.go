package fmp4

import (
	"fmt"
	"math"

	"github.com/sightline-cam/sightline/codecs"
)

// What sound may differ from the picture, and a frame from directly following the
// one before, in fractions of a second.
const (
	inStep     = 10  // 100 ms: further apart, sound is moved to where it was captured
	contiguous = 100 // 10 ms: closer, jitter of PTS is no hole
)

// layAudio sets m.audible, m.placed and m.audio, and in s what the next fragment
// continues. pictures are the fragment's: where a frame of sound lies follows from
// the times of capture of both.
//
// Frames directly follow each other as long as their PTS do by and large, so that
// nothing is heard of their jitter. times keeps the difference.
func (m *Muxer) layAudio(s *state, units, pictures []*codecs.Unit) error {
	m.placed = m.placed[:0]
	clock := int64(m.audioClock)
	total := 0
	var last int64 // the length of the frame before
	for _, u := range units {
		size := u.Size()
		if size == 0 {
			continue
		}
		if total += size; total > MaxFragmentBytes {
			return fmt.Errorf("more than %d bytes of sound; end it earlier", MaxFragmentBytes)
		}
		if len(m.audible) == 0 && !m.synchronize(s, u, pictures) {
			continue
		}
		length := m.ticks.of(u)
		wanted := u.PTS - s.audioBase + s.audioShift
		at := s.audioEnd
		switch off := wanted - at; {
		case len(m.audible) == 0 && s.audioEnd == 0, off > clock/contiguous:
			at = max(wanted, s.audioEnd)
		case off < -clock/contiguous && len(m.audible) > 0:
			// Back to where it belongs by frames of half their length.
			at = max(wanted, s.audioEnd-last/2)
		}
		if at > maxTicks {
			return fmt.Errorf("sound at %d ticks: %w", at, ErrDiscontinuity)
		}
		if n := len(m.audio); n > 0 {
			d := at - m.placed[n-1]
			if d > math.MaxUint32 {
				return fmt.Errorf("a hole of %d ticks in the sound: %w", d, ErrDiscontinuity)
			}
			m.audio[n-1].duration = uint32(d)
		}
		m.audible = append(m.audible, u)
		m.placed = append(m.placed, at)
		m.audio = append(m.audio, sample{duration: uint32(length), size: uint32(size), flags: flagIndependent})
		s.audioEnd, last = at+length, length
	}
	return nil
}

// synchronize makes the first frame of a fragment lie where the picture was at the
// time: the one captured nearest to it, because the recording's clock may be slewed.
// It reports false for sound from before the segment began.
func (m *Muxer) synchronize(s *state, u *codecs.Unit, pictures []*codecs.Unit) bool {
	clock := int64(m.audioClock)
	picture := pictures[0]
	for _, p := range pictures {
		if distance(p.At, u.At) < distance(picture.At, u.At) {
			picture = p
		}
	}
	after := u.At - picture.At
	if after > maxDuration || after < -maxDuration {
		return false // belongs nowhere near this fragment
	}
	at := scale(picture.PTS-s.videoBase, clock, VideoClock) + microsToTicks(after, m.audioClock)
	if !s.sound {
		if at < 0 {
			return false
		}
		s.sound, s.audioBase = true, u.PTS-at
		return true
	}
	off := at - (u.PTS - s.audioBase + s.audioShift)
	if off > clock/inStep || off < -clock/inStep {
		s.audioShift += off
	}
	return true
}

// distance returns how far two times are apart.
func distance(a, b int64) int64 { return max(a-b, b-a) }
