package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// joint is how a unit follows what was written before.
type joint int

const (
	joined  joint = iota
	torn          // after a time without pictures
	stepped       // the clock was set forward between the two
	apart         // their times have nothing to do with each other
)

const (
	// tornAfter is how long a time without pictures is at least; of a camera with
	// few pictures a second it is tornFrames times their distance.
	tornAfter  = 2 * time.Second
	tornFrames = 4
	// stepSize is how far the clock and the camera's count may disagree, beside a
	// sixteenth: times that are being corrected run 5 % fast or slow.
	stepSize = 500 * time.Millisecond
	// maxInterval bounds how far pictures are taken to be apart.
	maxInterval = 10 * time.Second
	// videoClock is what PTS of video count in (codecs.Track).
	videoClock = 90_000
	// maxReorder is how far B-frames go back at most, in ticks.
	maxReorder = videoClock
)

// tail is the end of what was written: the unit shown last.
type tail struct {
	known bool
	pts   int64
	at    recordings.Time
	// last is how long after the one before it was shown, usual that of the slowest
	// lately.
	last, usual time.Duration
}

// after returns the tail with more units written.
func (t tail) after(units []*codecs.Unit) tail {
	for _, u := range units {
		at := recordings.Time(u.At)
		switch {
		case !t.known:
			t = tail{known: true, pts: u.PTS, at: at, last: 40 * time.Millisecond, usual: 40 * time.Millisecond}
		case u.PTS <= t.pts && at <= t.at && t.at.Sub(at) < tornAfter: // a B-frame
		default:
			if d := at.Sub(t.at); d > 0 && d <= max(t.threshold(), maxInterval) {
				t.last = d
				t.usual = max(d, t.usual-t.usual/16)
			}
			t.pts, t.at = u.PTS, at
		}
	}
	return t
}

func (t tail) threshold() time.Duration { return max(tornAfter, tornFrames*min(t.usual, maxInterval)) }

// to says how a unit follows.
func (t tail) to(u *codecs.Unit) joint {
	if !t.known {
		return joined
	}
	clock := recordings.Time(u.At).Sub(t.at)
	const year = 365 * 24 * 3600 * videoClock // enough, and no overflow
	count := time.Duration(min(max(u.PTS-t.pts, -year), year) * 100_000 / 9)
	allowed := stepSize + clock.Abs()/16
	switch d := clock - count; {
	case d > allowed && count >= -time.Second && count <= t.threshold():
		return stepped
	case d > allowed, d < -allowed:
		return apart
	case clock > t.threshold():
		return torn
	}
	return joined
}

// guess is when the last unit probably ended.
func (t tail) guess() recordings.Time {
	return t.at.Add(min(max(t.last, time.Millisecond), time.Second))
}

// endBefore returns the end of the last unit, given when the next one is shown (0 if
// nobody knows): if that is much later, nobody knows what it is yet.
func (t tail) endBefore(next recordings.Time) recordings.Time {
	if next <= t.at || next.Sub(t.at) > max(stepSize, 2*t.usual) {
		return t.guess()
	}
	return next
}

// fragmentLength returns how many units at the beginning make one fragment: those up
// to the next key frame before which everything is shown that comes before it, or
// whose time has nothing to do with that.
func fragmentLength(units []*codecs.Unit) int {
	greatest := units[0].PTS
	for i, u := range units[1:] {
		if u.Key && (greatest < leastPTS(units[i+1:]) || u.PTS < greatest-maxReorder) {
			return i + 1
		}
		greatest = max(greatest, u.PTS)
	}
	return len(units)
}

func leastPTS(units []*codecs.Unit) int64 {
	least := units[0].PTS
	for _, u := range units[1:] {
		least = min(least, u.PTS)
	}
	return least
}

// earliest is when the first of the units is shown.
func earliest(units []*codecs.Unit) recordings.Time {
	least := units[0].At
	for _, u := range units[1:] {
		least = min(least, u.At)
	}
	return recordings.Time(least)
}
