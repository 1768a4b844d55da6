package camera

import (
	"math/bits"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// timeline makes the PTS of consecutive connections one rising sequence: the
// first unit of a connection comes after the last one of the connection before
// by as much as the clock on the wall says.
//
// The PTS of all tracks of one connection count from one instant, so one shift
// serves them all and sound stays with its picture.
type timeline struct {
	shift    time.Duration // added to every PTS of the connection
	anchored bool          // shift is that of the current connection
	started  bool          // any unit was ever seen
	lastTime time.Duration // PTS of the unit that arrived last, as time
	lastSeen time.Time     // its arrival
	tracks   []trackTime
}

type trackTime struct {
	clock   int
	last    int64 // largest PTS handed on
	extra   int64 // added to the track alone, where the shift would go back
	started bool  // last is valid
	joined  bool  // a unit was seen on the current connection
}

// reconnect begins a new connection.
func (t *timeline) reconnect() {
	t.anchored = false
	for i := range t.tracks {
		t.tracks[i].joined, t.tracks[i].extra = false, 0
	}
}

// pts returns the PTS of u on the timeline, in ticks of the given clock rate.
func (t *timeline) pts(u *codecs.Unit, clock int, now time.Time) int64 {
	for len(t.tracks) <= u.Track {
		t.tracks = append(t.tracks, trackTime{})
	}
	tr := &t.tracks[u.Track]
	if tr.clock != clock {
		if tr.started {
			tr.last = ticks(ticksToTime(tr.last, tr.clock), clock)
		}
		tr.clock, tr.joined, tr.extra = clock, false, 0
	}
	if !t.anchored {
		t.anchored = true
		if t.started {
			t.shift = t.lastTime + max(now.Sub(t.lastSeen), 0) - ticksToTime(u.PTS, clock)
		}
	}
	pts := u.PTS + ticks(t.shift, clock) + tr.extra
	if !tr.joined && tr.started && pts <= tr.last {
		tr.extra = tr.last + 1 - pts
		pts = tr.last + 1
	}
	if !tr.started || pts > tr.last {
		tr.last = pts
	}
	tr.started, tr.joined, t.started = true, true, true
	t.lastTime, t.lastSeen = ticksToTime(pts, clock), now
	return pts
}

// ticks converts a time to ticks of a clock, rounding towards zero.
func ticks(d time.Duration, clock int) int64 {
	return scale(int64(d), int64(clock), int64(time.Second))
}

// ticksToTime converts ticks of a clock to a time, rounding towards zero.
func ticksToTime(n int64, clock int) time.Duration {
	return time.Duration(scale(n, int64(time.Second), int64(clock)))
}

// scale returns v*mul/div without overflow in between; mul and div are
// positive. A result beyond 64 bits is meaningless but no crash.
func scale(v, mul, div int64) int64 {
	if div <= 0 || mul <= 0 {
		return 0
	}
	negative := v < 0
	if negative {
		v = -v
	}
	hi, lo := bits.Mul64(uint64(v), uint64(mul))
	q, _ := bits.Div64(hi%uint64(div), lo, uint64(div))
	if negative {
		return -int64(q)
	}
	return int64(q)
}
