package camera

import (
	"time"

	"github.com/sightline-cam/sightline/codecs/rtppack"
)

// Subscription is one consumer's position in a Hub. It satisfies peer.Feed.
// Its methods may be called from one goroutine at a time, Close from any.
type Subscription struct {
	lane *lane
	wake chan struct{} // capacity 1
	tap  bool          // constant: it is no viewer

	// Guarded by lane.mu.
	pos      uint64 // sequence number of the next frame
	awaitKey bool   // pass over frames until a key frame
	ended    bool
	skipped  uint64 // frames lost because the consumer was slow, in total
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wake returns a channel of capacity 1 that is signalled when Next may have
// something or the subscription has ended.
func (s *Subscription) Wake() <-chan struct{} { return s.wake }

// Next returns the next frame, or nil if there is none yet. skipped is the
// number of frames lost before it because this consumer was too slow. ok is
// false once the subscription or the hub is closed.
func (s *Subscription) Next() (f *rtppack.Frame, skipped int, ok bool) {
	l := s.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.ended || l.closed {
		return nil, 0, false
	}
	from := s.pos
	counts := !s.awaitKey // frames before the first key frame are not lost
	if s.pos < l.first {  // overrun: go on with a whole GOP
		s.pos = l.first
		if l.video {
			if l.hasKey {
				s.pos = l.key
			} else {
				s.awaitKey = true
			}
		}
	}
	for s.pos < l.next() {
		f = l.frames[s.pos-l.first]
		if !s.awaitKey || f.Unit.Key {
			break
		}
		f = nil
		s.pos++
	}
	if counts {
		skipped = int(s.pos - from)
		s.skipped += uint64(skipped)
	}
	if f != nil {
		s.pos++
		s.awaitKey = false
	}
	return f, skipped, true
}

// Behind returns how many frames lie between this position and live.
func (s *Subscription) Behind() int {
	l := s.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.pos >= l.next() {
		return 0
	}
	return int(l.next() - s.pos)
}

// SkipToFreshKey moves to the newest key frame at or ahead of this position if
// it arrived at most maxAge ago, and reports whether it did.
func (s *Subscription) SkipToFreshKey(maxAge time.Duration) bool {
	l := s.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.ended || !l.hasKey || l.key < s.pos || time.Since(l.frames[l.key-l.first].Unit.Arrived) > maxAge {
		return false
	}
	s.pos = l.key
	s.awaitKey = false
	return true
}

// Skipped returns how many frames this consumer lost in total.
func (s *Subscription) Skipped() uint64 {
	s.lane.mu.Lock()
	defer s.lane.mu.Unlock()
	return s.skipped
}

// Close ends the subscription. Idempotent.
func (s *Subscription) Close() {
	if s.end() && !s.tap {
		s.lane.left()
	}
}

// end reports whether the subscription had not ended yet.
func (s *Subscription) end() bool {
	l := s.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.ended {
		return false
	}
	s.ended = true
	delete(l.subs, s)
	s.signal()
	return true
}
