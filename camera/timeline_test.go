package camera

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

func TestTimeline_SoundStaysWithItsPictureAcrossConnections(t *testing.T) {
	var tl timeline
	start := time.Now()
	at := func(track int, pts int64, clock int, after time.Duration) int64 {
		return tl.pts(&codecs.Unit{Track: track, PTS: pts}, clock, start.Add(after))
	}
	at(0, 0, 90000, 0)
	at(1, 0, 8000, 0)
	at(0, 90000, 90000, time.Second)
	at(1, 8000, 8000, time.Second)

	tl.reconnect()
	video := at(0, 45000, 90000, 4*time.Second) // half a second into its connection
	audio := at(1, 4000, 8000, 4*time.Second)
	if video != 4*90000 || audio != 4*8000 {
		t.Errorf("video %d and audio %d, want both at 4 s", video, audio)
	}
}

func TestTimeline_NeverGoesBackAcrossConnectionsWhenTheCamerasClockIsFast(t *testing.T) {
	var tl timeline
	start := time.Now()
	last := tl.pts(&codecs.Unit{PTS: 0}, 90000, start)
	last = max(last, tl.pts(&codecs.Unit{Track: 1, PTS: 80000}, 8000, start)) // 10 s ahead
	_ = last
	tl.pts(&codecs.Unit{PTS: 90}, 90000, start.Add(time.Millisecond))

	tl.reconnect()
	if got := tl.pts(&codecs.Unit{Track: 1, PTS: 0}, 8000, start.Add(time.Second)); got != 80001 {
		t.Errorf("PTS %d after a reconnect, want 80001, one more than the last", got)
	}
	if got := tl.pts(&codecs.Unit{Track: 1, PTS: 160}, 8000, start.Add(time.Second)); got != 80161 {
		t.Errorf("PTS %d, want 160 later", got)
	}
}

func TestTimeline_KeepsTheOrderOfBFramesWithinAConnection(t *testing.T) {
	var tl timeline
	now := time.Now()
	for i, pts := range []int64{0, 9000, 3000, 6000} {
		if got := tl.pts(&codecs.Unit{PTS: pts}, 90000, now); got != pts {
			t.Errorf("unit %d: PTS %d, want %d", i, got, pts)
		}
	}
}

func FuzzTicks(f *testing.F) {
	f.Add(int64(1<<62), 90000)
	f.Add(int64(-1), 8000)
	f.Fuzz(func(t *testing.T, n int64, clock int) {
		d := ticksToTime(n, clock)
		if clock > 0 && clock <= int(time.Second) && n > -1<<32 && n < 1<<32 {
			if got := ticks(d, clock); got > max(n, 0) || got < min(n, 0) {
				t.Errorf("ticks(%v) = %d, want towards zero of %d", d, got, n)
			}
		}
	})
}
