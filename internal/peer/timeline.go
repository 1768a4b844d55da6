package peer

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// minStep is the smallest distance of two frames' RTP timestamps, 1 ms at
// 90 kHz: cached frames that are older than what was last shown follow in such
// steps.
const minStep = 90

// timeline turns PTS into RTP timestamps that only ever rise, whatever feed
// the frames come from: another rendition, a reconnected source, a GOP sent
// again.
type timeline struct {
	clockRate int64
	step      uint32 // smallest distance, in ticks
	offset    int64
	last      uint32
	lastAt    time.Time // arrival of the frame that last is of
	started   bool
	joined    bool // offset belongs to the present feed
}

func newTimeline(clockRate int, step uint32) *timeline {
	return &timeline{clockRate: int64(clockRate), step: step, last: randomUint32()}
}

// join says that the next frame comes from another feed or place in it.
func (t *timeline) join() { t.joined = false }

// stamp returns the RTP timestamp of a unit.
func (t *timeline) stamp(u *codecs.Unit) uint32 {
	if !t.joined {
		at := int64(t.last)
		if t.started {
			at += int64(u.Arrived.Sub(t.lastAt).Seconds() * float64(t.clockRate))
		}
		t.offset = at - u.PTS
		t.joined = true
	}
	ts := uint32(u.PTS + t.offset)                     // RTP timestamps wrap
	if t.started && int32(ts-t.last) < int32(t.step) { // serial number arithmetic
		ts = t.last + t.step
	}
	t.last, t.lastAt, t.started = ts, u.Arrived, true
	return ts
}
