package peer

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

func TestTimeline_RunsOnAfterALongSilence(t *testing.T) {
	for _, joins := range []bool{false, true} {
		start := time.Now()
		l := newTimeline(90000, minStep)
		stamp := func(at time.Duration) uint32 {
			return l.stamp(&codecs.Unit{PTS: int64(at.Seconds() * 90000), Arrived: start.Add(at)})
		}
		last := stamp(0)
		// 7 hours are more than half the range of a 32 bit timestamp.
		silence := 7 * time.Hour
		if joins {
			l.join()
		}
		for i := range 5 {
			ts := stamp(silence + time.Duration(i)*frameTime)
			if step := int32(ts - last); step <= 0 || i > 0 && step != 3600 {
				t.Fatalf("joins %v: frame %d: step %d ticks, want 3600", joins, i, step)
			}
			last = ts
		}
	}
}
