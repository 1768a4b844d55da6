package peer

import (
	"testing"
	"time"
)

func testLadder(renditions, start int) *ladder {
	return newLadder(renditions, start, func(r rung) int {
		n := 2_000_000
		if r.rendition > 0 {
			n = 200_000
		}
		switch r.drop {
		case dropDiscardable:
			n = n * 2 / 3
		case dropDeltas:
			n /= 10
		case dropNothing:
		}
		return n
	})
}

func TestLadder_GoesDownToWhatFits(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, tt := range []struct {
		renditions, share int
		want              rung
	}{
		{1, 3_000_000, rung{0, dropNothing}},
		{1, 1_500_000, rung{0, dropDiscardable}},
		{1, 500_000, rung{0, dropDeltas}},
		{1, 50_000, rung{0, dropDeltas}},
		{2, 500_000, rung{1, dropNothing}},
		{2, 150_000, rung{1, dropDiscardable}},
		{2, 60_000, rung{1, dropDeltas}},
	} {
		l := testLadder(tt.renditions, 0)
		st := pathState{congested: true, since: now, measured: true, queue: 200 * time.Millisecond}
		if got := l.decide(now, st, tt.share); got != tt.want {
			t.Errorf("%d renditions, %d bit/s: %+v, want %+v", tt.renditions, tt.share, got, tt.want)
		}
	}
}

func TestLadder_GoesUpOnlyWhenTheNextRungFits(t *testing.T) {
	now := time.Unix(1000, 0)
	l := testLadder(2, 0)
	l.decide(now, pathState{congested: true, since: now, measured: true}, 300_000)
	now = now.Add(time.Second)
	clear := pathState{since: now, measured: true, fresh: true, capacity: 500_000}
	for range 100 {
		now = now.Add(time.Second)
		if r := l.decide(now, clear, 0); r != (rung{1, dropNothing}) {
			t.Fatalf("went to %+v with 500 kbit/s", r)
		}
	}
	clear.capacity = 5_000_000
	if r := l.decide(now, clear, 0); r != (rung{0, dropNothing}) {
		t.Fatalf("stays on %+v with 5 Mbit/s", r)
	}
}

func TestLadder_AMistakenStepUpDoublesTheWait(t *testing.T) {
	now := time.Unix(1000, 0)
	l := testLadder(1, 0)
	wait := func() time.Duration {
		now = now.Add(time.Second)
		l.decide(now, pathState{congested: true, since: now, measured: true}, 300_000)
		start := now
		clear := pathState{since: now, measured: true, fresh: true, capacity: 9_000_000}
		for l.decide(now, clear, 0).drop == dropDeltas {
			now = now.Add(100 * time.Millisecond)
		}
		return now.Sub(start)
	}
	first := wait()
	if second := wait(); second < 2*first-200*time.Millisecond {
		t.Fatalf("waited %v, then %v", first, second)
	}
}

func TestLadder_StartsLowAndRisesWithTheFirstMeasurement(t *testing.T) {
	now := time.Unix(1000, 0)
	l := testLadder(2, 1)
	if r := l.decide(now, pathState{}, maxTarget); r.rendition != 1 {
		t.Fatalf("starts on %+v", r)
	}
	if r := l.decide(now, pathState{measured: true, fresh: true, capacity: 20_000_000}, maxTarget); r.rendition != 0 {
		t.Fatalf("stays on %+v", r)
	}
}
