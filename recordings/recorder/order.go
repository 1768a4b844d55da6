package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

const (
	// forgetReorder is after how many frames a stream counts as one without B-frames
	// again.
	forgetReorder = 250
	// maxHeld is how long frames are held back at most for others that are shown
	// before them.
	maxHeld = 3 * time.Second
)

// order watches in what order frames come, and decides where they can be cut: where
// all before are shown before all after, those that have not come yet included.
type order struct {
	greatest int64 // PTS
	started  bool
	back     int64 // how far PTS went back lately, in ticks; 0: there are no B-frames
	quiet    int   // frames since it last did
}

// observe takes in the next frame.
func (o *order) observe(u *codecs.Unit) {
	back := o.greatest - u.PTS
	switch {
	case !o.started || back > maxReorder: // another count
		*o = order{started: true, greatest: u.PTS}
	case back > 0:
		o.back, o.quiet = max(o.back, back), 0
	default:
		o.greatest = u.PTS
		if o.quiet++; o.quiet >= forgetReorder {
			o.back = 0
		}
	}
}

// cut returns how many of the frames can be written, and when the first of the others
// is shown. Without B-frames that is all but the newest, whose end is not known yet,
// unless it is older than hold.
func (o *order) cut(units []*codecs.Unit, now time.Time, hold time.Duration) (n int, end recordings.Time) {
	if len(units) == 0 {
		return 0, 0
	}
	newest := units[len(units)-1]
	if o.back == 0 {
		if now.Sub(newest.Arrived) <= hold {
			return len(units) - 1, recordings.Time(newest.At)
		}
		return len(units), halfway(units)
	}
	least := newest.PTS // of those after the cut
	for n = len(units) - 1; n > 0; n-- {
		least = min(least, units[n].PTS)
		if before := greatestPTS(units[:n]); before < least && before < o.greatest-o.back {
			return n, earliest(units[n:])
		}
	}
	if now.Sub(units[0].Arrived) > maxHeld {
		return len(units), halfway(units)
	}
	return 0, 0
}

// halfway returns a time that surely is before the next frame.
func halfway(units []*codecs.Unit) recordings.Time {
	t := tail{}.after(units)
	return t.at.Add(max(min(t.last, time.Second)/2, time.Millisecond))
}

func greatestPTS(units []*codecs.Unit) int64 {
	greatest := units[0].PTS
	for _, u := range units[1:] {
		greatest = max(greatest, u.PTS)
	}
	return greatest
}
