package fmp4

import (
	"fmt"
	"math"
	"slices"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

const (
	// maxStep is how far from the end of a fragment, in microseconds, the next one's
	// first picture may have been captured.
	maxStep = 10_000_000
	// maxGuess is how far, in microseconds, a fragment may have to end before it begins
	// because the end of the one before was a guess: a camera that made few pictures
	// makes more again. It is as short as can be then.
	maxGuess = 1_000_000
	shortest = 1_000
	// defaultTick is the length of a picture of which nothing is known.
	defaultTick = VideoClock / 25
)

// layVideo sets m.decode and m.video, and in s what the next fragment continues.
func (m *Muxer) layVideo(s *state, units []*codecs.Unit, end recordings.Time) error {
	first, last := units[0], units[0] // as they are shown
	for _, u := range units {
		if u.PTS < first.PTS {
			first = u
		}
		if u.PTS > last.PTS {
			last = u
		}
	}
	if s.sequence == 1 {
		s.videoBase = first.PTS
		if s.end == 0 {
			s.end = recordings.Time(first.At)
		}
	}
	start := s.end
	s.begin = start
	if step := first.At - int64(start); step > maxStep || step < -maxStep {
		return fmt.Errorf("captured at %v, while the one before ended at %v: %w", recordings.Time(first.At), start, ErrDiscontinuity)
	}
	if low, high := first.PTS-s.videoBase, last.PTS-s.videoBase; low < -maxTicks || high > maxTicks || high < low {
		return fmt.Errorf("PTS from %d to %d in a segment that began at %d: %w", first.PTS, last.PTS, s.videoBase, ErrDiscontinuity)
	}
	m.decodingTimes(s, units)
	n := len(units)
	if n > 1 {
		s.videoTick = m.decode[n-1] - m.decode[n-2]
	}
	tick := lastTick(first, last, int64(end), s.videoTick)
	if s.videoTick == 0 {
		s.videoTick = tick
	}
	s.videoEnd = m.decode[n-1] + tick
	if m.order.pictures > 0 { // then it is known when the next one is decoded
		s.videoEnd = max(s.held[0]+m.order.delay(), m.decode[n-1]+1)
	}
	s.end = end
	if end == 0 {
		s.end = recordings.Time(last.At + ticksToMicros(tick, VideoClock))
	}
	d := int64(s.end - start)
	if d <= 0 && d > -maxGuess {
		s.end, d = start+shortest, shortest
	}
	if d <= 0 || d > maxDuration {
		return fmt.Errorf("from %v to %v: %w", start, s.end, ErrDiscontinuity)
	}
	return m.videoSamples(s, units)
}

// decodingTimes sets m.decode: the sorted PTS, as much later as keeps every picture
// from being shown before it is decoded. They rise, and are free.
func (m *Muxer) decodingTimes(s *state, units []*codecs.Unit) {
	n := m.order.pictures
	if s.sequence == 1 {
		tick := m.order.shortest(units)
		for i := range n {
			s.held[i] = int64(i-n) * tick
		}
	}
	m.decode = append(m.decode[:0], s.held[:n]...)
	for _, u := range units {
		m.decode = append(m.decode, u.PTS-s.videoBase)
	}
	slices.Sort(m.decode)
	copy(s.held[:n], m.decode[len(units):])
	m.decode = m.decode[:len(units)]
	free := s.videoEnd
	for i, d := range m.decode {
		m.decode[i] = max(d+m.order.delay(), free)
		free = m.decode[i] + 1
	}
}

// lastTick returns how long the last picture shown lasts, by what is known of the
// next; tick is the distance of those before, 0 if there are none.
func lastTick(first, last *codecs.Unit, end, tick int64) int64 {
	const longest = 1_000_000_000 // µs, a quarter of an hour
	left := end - last.At
	if end == 0 || left <= 0 || left > longest {
		if tick == 0 {
			tick = defaultTick
		}
		return tick
	}
	guess := microsToTicks(left, VideoClock)
	// While the recording's clock is slewed it runs faster or slower than the camera's.
	media, wall := last.PTS-first.PTS, last.At-first.At
	if nominal := microsToTicks(wall, VideoClock); wall > 0 && wall < longest && media > nominal-nominal/8 && media < nominal+nominal/8 {
		guess = scale(left, media, wall)
	}
	// Rather too short than over the next one's beginning by an error of rounding.
	if d := guess - tick; d >= -4 && d <= 4 {
		guess = min(guess, tick)
	}
	return max(guess, 1)
}

// videoSamples sets m.video.
func (m *Muxer) videoSamples(s *state, units []*codecs.Unit) error {
	total := 0
	for i, u := range units {
		next := s.videoEnd
		if i+1 < len(units) {
			next = m.decode[i+1]
		}
		duration, offset := next-m.decode[i], u.PTS-s.videoBase+m.order.delay()-m.decode[i]
		if duration > math.MaxUint32 || offset > math.MaxInt32 || offset < math.MinInt32 {
			return fmt.Errorf("a picture of %d ticks, shown %d after it is decoded: %w", duration, offset, ErrDiscontinuity)
		}
		if len(u.Payload) > maxNALUnits {
			return fmt.Errorf("a picture of %d NAL units, more than %d", len(u.Payload), maxNALUnits)
		}
		size := u.Size() + nalLength*len(u.Payload)
		if total += size; total > MaxFragmentBytes {
			return fmt.Errorf("more than %d bytes; end it earlier", MaxFragmentBytes)
		}
		flags := uint32(flagDependent | flagNonSync)
		if u.Key {
			flags = flagIndependent
		}
		if u.Discardable {
			flags |= flagDisposable
		}
		m.video = append(m.video, sample{uint32(duration), uint32(size), flags, int32(offset)})
	}
	return nil
}
