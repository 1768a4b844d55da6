package peer

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// minStep is the smallest distance of two frames' RTP timestamps, 1 ms at
// 90 kHz: cached frames that are older than what was last shown follow in such
// steps.
const minStep = 90

// maxGap is the longest pause that timestamps show. After a longer one they go
// on as if it had been this long: half the range of a timestamp, 6.6 h at
// 90 kHz, would look like a step back.
const maxGap = time.Hour

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
	gap := u.Arrived.Sub(t.lastAt)
	if !t.joined || t.started && gap > maxGap {
		at := int64(t.last)
		if t.started {
			at += int64(min(gap, maxGap).Seconds() * float64(t.clockRate))
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
