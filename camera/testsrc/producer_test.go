package testsrc

import (
	"testing"
	"time"
)

func TestProducer_StampsFollowAClockThatWasSet(t *testing.T) {
	for _, step := range []time.Duration{-3 * time.Hour, -time.Second, time.Minute, 50 * 365 * 24 * time.Hour} {
		s := newSource(t, Options{Picture: small(), Audio: true})
		start := time.Date(2026, 11, 20, 12, 0, 0, 10_000_000, time.UTC)
		r := &recorder{}
		p := newProducer(s, start, r)
		var elapsed time.Duration
		for elapsed < 2*time.Second {
			wall := start.Add(elapsed + 300*time.Microsecond) // a timer's lateness
			if elapsed > time.Second {
				wall = wall.Add(step)
			}
			elapsed = p.advance(elapsed, wall)
		}
		frames := r.of(videoTrack)
		for i, u := range frames {
			even := start.Add(30*time.Millisecond + time.Duration(i)*40*time.Millisecond)
			if u.PTS != videoPTS(even) {
				t.Fatalf("step %v, frame %d: PTS %d, want %d", step, i, u.PTS, videoPTS(even))
			}
			want := even
			if even.Sub(start) > time.Second+20*time.Millisecond {
				want = even.Add(step)
			}
			if d := u.Wall.Sub(want); d > time.Millisecond || d < -time.Millisecond {
				t.Errorf("step %v, frame %d: stamped %v, want %v", step, i, u.Wall, want)
			}
		}
		if len(frames) < 48 || s.Missed() != 0 {
			t.Errorf("step %v: %d frames, %d missed", step, len(frames), s.Missed())
		}
	}
}

func TestProducer_WorksBeforeTheEpoch(t *testing.T) {
	s, r := newSource(t, Options{Picture: small(), Audio: true}), &recorder{}
	start := time.Unix(-100, 0)
	p := newProducer(s, start, r)
	for elapsed := time.Duration(0); elapsed < time.Second; {
		elapsed = p.advance(elapsed, start.Add(elapsed))
	}
	frames := r.of(videoTrack)
	if len(frames) < 24 {
		t.Fatalf("%d frames in 1 s", len(frames))
	}
	for i := 1; i < len(frames); i++ {
		if frames[i].PTS-frames[i-1].PTS != 3600 || frames[i].Wall.Unix() < 0 {
			t.Errorf("frame %d: PTS %d at %v", i, frames[i].PTS, frames[i].Wall)
		}
	}
}

func TestGrid_EveryInstantOnce(t *testing.T) {
	for _, perSecond := range []int64{1, 7, 24, 25, 30, 50, 60, 119, 120} {
		g := gridAfter(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), perSecond)
		for range 500 {
			at := g.time()
			if got := g.indexAt(at); got != g.index {
				t.Fatalf("%d a second: place %d at %v is found as %d", perSecond, g.index, at, got)
			}
			if got := g.indexAt(at.Add(-1)); got != g.index-1 {
				t.Fatalf("%d a second: just before place %d is %d", perSecond, g.index, got)
			}
			if got := gridAfter(at, perSecond); got != g {
				t.Fatalf("%d a second: the first place from place %d on is %d", perSecond, g.index, got.index)
			}
			g.index++
		}
	}
}

func TestMuLaw_KnownValues(t *testing.T) {
	// ITU-T G.711 table 2a: the ends, the middle and decision values.
	for v, want := range map[int]byte{0: 0xFF, -1: 0x7F, 32_767: 0x80, -32_768: 0x00, 4: 0xFE, 1000: 0xCE, -1000: 0x4E} {
		if got := muLaw(v); got != want {
			t.Errorf("%d is %#02x, want %#02x", v, got, want)
		}
	}
}

func TestSound_IsSoft(t *testing.T) {
	s := newSound()
	loudest := byte(silence)
	for _, v := range s.tick {
		loudest = min(loudest, v|0x80) // the code falls as the magnitude rises
	}
	if loudest <= muLaw(8000) || loudest > muLaw(1000) {
		t.Errorf("the loudest sample is %#02x", loudest)
	}
}
