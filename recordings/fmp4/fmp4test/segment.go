package fmp4test

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// Segment is a written segment.
type Segment struct {
	recordings.Segment
	Data []byte
}

// Write writes a segment of a video and, if it has units, sound. A fragment ends
// before a key frame and once it is as long as every; the last one ends at end, or
// where the muxer guesses if that is 0.
func Write(tb testing.TB, h fmp4.Header, video, sound Media, every time.Duration, end recordings.Time) Segment {
	tb.Helper()
	var audio *codecs.Track
	if len(sound.Units) > 0 {
		audio = &sound.Track
	}
	m, err := fmp4.NewMuxer(h, video.Track, audio)
	if err != nil {
		tb.Fatal(err)
	}
	s := Segment{
		Segment: recordings.Segment{Ref: h.Ref, Format: m.Format(), Origin: h.Origin, Before: h.Before, ClockOffset: h.ClockOffset},
		Data:    append([]byte(nil), m.Init()...),
	}
	s.InitBytes = int64(len(s.Data))
	units, frames := video.Units, sound.Units
	for len(units) > 0 {
		n := 1
		for n < len(units) && !units[n].Key && units[n].At-units[0].At < every.Microseconds() {
			n++
		}
		next := end
		if n < len(units) {
			next = recordings.Time(units[n].At)
		}
		k := 0
		for k < len(frames) && (n == len(units) && end == 0 || recordings.Time(frames[k].At) < next) {
			k++
		}
		at := len(s.Data)
		var f recordings.Fragment
		if s.Data, f, err = m.AppendFragment(s.Data, units[:n], frames[:k], next); err != nil {
			tb.Fatal(err)
		}
		f.Offset = int64(at)
		s.Fragments = append(s.Fragments, f)
		units, frames = units[n:], frames[k:]
	}
	s.Bytes = int64(len(s.Data))
	s.End = s.Fragments[len(s.Fragments)-1].End()
	return s
}
