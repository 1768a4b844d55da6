package timebase

import (
	"math/rand/v2"
	"testing"
	"time"
)

const second = int64(time.Second)

// scene is a camera and a clock on the wall in virtual time. Everything is in
// nanoseconds of true elapsed time unless it says otherwise.
type scene struct {
	fps      int64
	ppm      int64                          // how fast the camera's clock is
	jitter   int64                          // units come up to this late
	clock    func(elapsed int64) int64      // what the clock on the wall shows
	extra    func(elapsed int64) int64      // more lateness
	jump     func(elapsed int64) int64      // of the camera's clock
	between  func(m *Mapper, elapsed int64) // called before each unit
	gop      int64
	duration int64
}

// sample is a unit as it was mapped.
type sample struct {
	elapsed, arrival, media int64 // captured, arrived, by the camera's clock
	wall                    int64 // what the clock showed when it was captured
	at                      int64 // µs
	key                     bool
}

func (s scene) run(t *testing.T, each func(i int64, now sample, before sample)) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(s.ppm)))
	m := New()
	var before sample
	for i := range s.duration / second * s.fps {
		captured := i * second / s.fps
		media := captured + captured/1000*s.ppm/1000
		if s.jump != nil {
			media += s.jump(captured)
		}
		arrival := captured
		if s.jitter > 0 {
			arrival += random.Int64N(s.jitter)
		}
		if s.extra != nil {
			arrival += s.extra(captured)
		}
		arrival = max(arrival, before.arrival) // packets do not overtake each other
		if s.between != nil {
			s.between(m, captured)
		}
		now := sample{
			elapsed: captured, arrival: arrival, media: media, wall: s.clock(captured), key: i%s.gop == 0,
		}
		m.observe(media, arrival, s.clock(arrival), now.key)
		now.at = m.curve.reference(media) / 1000
		each(i, now, before)
		before = now
	}
}

const start = int64(1_795_000_000) * second // in November 2026

func steady(elapsed int64) int64 { return start + elapsed }

func stepAt(when, by int64) func(int64) int64 {
	return func(elapsed int64) int64 {
		if elapsed >= when {
			return start + elapsed + by
		}
		return start + elapsed
	}
}

// wrongBy is how far the time of a unit is ahead of the clock on the wall.
func (s sample) wrongBy() time.Duration { return time.Duration(s.at*1000 - s.wall) }

func TestMapper_FollowsTheClockForDays(t *testing.T) {
	for _, ppm := range []int64{-200, -40, 0, 7, 200} {
		s := scene{fps: 2, ppm: ppm, jitter: 100 * second / 1000, clock: steady, gop: 4, duration: 3 * 86400 * second}
		s.run(t, func(i int64, now, before sample) {
			if i == 0 {
				return
			}
			if now.at <= before.at {
				t.Fatalf("%d ppm: unit %d goes back from %d to %d", ppm, i, before.at, now.at)
			}
			if now.elapsed > 600*second && (now.wrongBy() < -25*time.Millisecond || now.wrongBy() > 25*time.Millisecond) {
				t.Fatalf("%d ppm: unit %d is %v off", ppm, i, now.wrongBy())
			}
		})
	}
}

func TestMapper_JitterCannotBeSeen(t *testing.T) {
	s := scene{fps: 25, jitter: 100 * second / 1000, clock: steady, gop: 50, duration: 1800 * second}
	s.run(t, func(i int64, now, before sample) {
		if i == 0 {
			return
		}
		step, should := now.at-before.at, (now.media-before.media)/1000
		if d := step - should; d < -21 || d > 21 { // 500 ppm of 40 ms, and rounding
			t.Fatalf("unit %d comes %d µs after the one before instead of %d", i, step, should)
		}
		if now.elapsed > 300*second && now.wrongBy().Abs() > 10*time.Millisecond {
			t.Fatalf("unit %d is %v off", i, now.wrongBy())
		}
	})
}

func TestMapper_ClockIsSet(t *testing.T) {
	const when = 1000 * second
	for _, c := range []struct {
		name      string
		by        int64
		jump      bool
		settledIn time.Duration
	}{
		{"a little forward", second / 2, false, 220 * time.Second},
		{"a little back", -second / 2, false, 220 * time.Second},
		{"2 s forward", 2 * second, true, 3 * time.Second},
		{"2 s back", -2 * second, false, 250 * time.Second},
		{"9 minutes back", -540 * second, false, 11100 * time.Second},
		{"an hour forward", 3600 * second, true, 3 * time.Second},
		{"an hour back", -3600 * second, true, 3 * time.Second},
		{"years back", -3600 * 24 * 2000 * second, true, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scene{fps: 25, jitter: second / 20, clock: stepAt(when, c.by), gop: 50, duration: when + int64(c.settledIn) + 20*second}
			jumps := 0
			s.run(t, func(i int64, now, before sample) {
				if i == 0 {
					return
				}
				step := now.at - before.at
				if step < 37_900 || step > 42_100 { // 5 % off at most
					jumps++
					if !now.key {
						t.Errorf("unit %d jumps by %d µs and is no key frame", i, step)
					}
					if want := c.by/1000 + 40_000; step < want-60_000 || step > want+60_000 {
						t.Errorf("unit %d jumps by %d µs instead of about %d", i, step, want)
					}
				}
				if now.elapsed > when+int64(c.settledIn) && now.wrongBy().Abs() > 25*time.Millisecond {
					t.Fatalf("unit %d, %v after the clock was set, is %v off", i, time.Duration(now.elapsed-when), now.wrongBy())
				}
			})
			if want := map[bool]int{true: 1}[c.jump]; jumps != want {
				t.Errorf("%d jumps, want %d", jumps, want)
			}
		})
	}
}

func TestMapper_WakesIn1970(t *testing.T) {
	const when = 40 * second
	clock := func(elapsed int64) int64 {
		if elapsed < when {
			return 12*second + elapsed
		}
		return start + elapsed
	}
	s := scene{fps: 25, clock: clock, gop: 25, duration: 60 * second}
	s.run(t, func(i int64, now, before sample) {
		if i > 0 && now.at <= before.at {
			t.Fatalf("unit %d goes back", i)
		}
		if (now.elapsed < when || now.elapsed > when+2*second) && now.wrongBy().Abs() > time.Millisecond {
			t.Fatalf("unit %d is %v off", i, now.wrongBy())
		}
	})
}

func TestMapper_ClockSetAgainAndAgain(t *testing.T) {
	clock := func(elapsed int64) int64 { // by somebody's script, every ten seconds
		return start + elapsed - elapsed/(10*second)%2*3*second
	}
	s := scene{fps: 25, clock: clock, gop: 50, duration: 600 * second}
	s.run(t, func(i int64, now, before sample) {
		if i > 0 && now.at <= before.at {
			t.Fatalf("unit %d goes back", i)
		}
	})
}

// A process that is held up between its two readings of the time has seen no step.
func TestMapper_OneWrongReadingIsNoStep(t *testing.T) {
	n := 0
	clock := func(elapsed int64) int64 {
		if n++; n%100 == 0 {
			return start + elapsed - 5*second
		}
		return start + elapsed
	}
	s := scene{fps: 25, clock: clock, gop: 1, duration: 120 * second}
	s.run(t, func(i int64, now, before sample) {
		if step := now.at - before.at; i > 0 && step != 40_000 {
			t.Fatalf("unit %d comes %d µs after the one before", i, step)
		}
	})
}

func TestMapper_LateUnitsAreNoStep(t *testing.T) {
	stall := func(elapsed int64) int64 { // the network stops for 8 s each minute
		if in := elapsed % (60 * second); in > 30*second && in < 38*second {
			return 38*second - in
		}
		return 0
	}
	s := scene{fps: 25, clock: steady, extra: stall, gop: 50, duration: 600 * second}
	s.run(t, func(i int64, now, before sample) {
		if step := now.at - before.at; i > 0 && step != 40_000 {
			t.Fatalf("unit %d comes %d µs after the one before", i, step)
		}
	})
}

// Many cameras begin with what they have cached: two seconds of old frames at once.
func TestMapper_BurstAtTheBeginningIsWorkedOff(t *testing.T) {
	burst := func(elapsed int64) int64 { return max(2*second-elapsed, 0) }
	s := scene{fps: 25, clock: steady, extra: burst, gop: 50, duration: 400 * second}
	s.run(t, func(i int64, now, before sample) {
		if i > 0 && (now.at-before.at < 38_000 || now.at-before.at > 40_000) {
			t.Fatalf("unit %d comes %d µs after the one before", i, now.at-before.at)
		}
		if now.elapsed > 300*second && now.wrongBy().Abs() > 10*time.Millisecond {
			t.Fatalf("unit %d is %v off", i, now.wrongBy())
		}
	})
}

// The camera's own clock is set forward in the middle of a connection.
func TestMapper_CameraCountsTimeThatDidNotPass(t *testing.T) {
	const when = 100*second + second/5 // in the middle of a GOP
	for _, by := range []int64{3 * second, 9 * second, 3600 * second} {
		jump := func(elapsed int64) int64 {
			if elapsed >= when {
				return by
			}
			return 0
		}
		s := scene{fps: 25, clock: steady, jump: jump, jitter: second / 20, gop: 50, duration: 400 * second}
		s.run(t, func(i int64, now, before sample) {
			if i > 0 && now.at <= before.at {
				t.Fatalf("unit %d goes back", i)
			}
			if d := now.wrongBy(); d.Abs() > 110*time.Millisecond {
				t.Fatalf("camera's clock set by %v: unit %d is %v off", time.Duration(by), i, d)
			}
		})
	}
}

// After a camera was rebooted its times go on where they were, by how long units
// took to come then: here the last of the old connection was 4 s late.
func TestMapper_ReconnectFindsTheDelayAnew(t *testing.T) {
	const when = 100 * second
	extra := func(elapsed int64) int64 {
		if elapsed > when-4*second && elapsed < when {
			return when - elapsed
		}
		return 0
	}
	lost := func(elapsed int64) int64 { // the new times are 4 s behind
		if elapsed >= when {
			return -4*second + second/10
		}
		return 0
	}
	s := scene{fps: 25, clock: steady, extra: extra, jump: lost, gop: 50, duration: 120 * second}
	done := false
	s.between = func(m *Mapper, elapsed int64) {
		if elapsed >= when && !done {
			done = true
			m.Reconnect()
		}
	}
	s.run(t, func(i int64, now, before sample) {
		if now.elapsed > when+6*second && now.wrongBy().Abs() > 10*time.Millisecond {
			t.Fatalf("unit %d, %v after the camera came back, is %v off", i, time.Duration(now.elapsed-when), now.wrongBy())
		}
	})
}

func TestMapper_BFramesLieBetweenTheirNeighbours(t *testing.T) {
	m := New()
	const frame = second / 25
	order := []int64{0, 3, 1, 2} // I P B B
	clock := stepAt(100*second, -2*second)
	seen := map[int64]int64{}
	for gop := range int64(2000) {
		for i, in := range order {
			n := gop*4 + in
			arrival := (gop*4+int64(i))*frame + 3*frame
			m.observe(n*frame, arrival, clock(arrival), i == 0)
			seen[n] = m.curve.reference(n*frame) / 1000
		}
	}
	for n := int64(1); n < 8000; n++ {
		if d := seen[n] - seen[n-1]; d < 37_900 || d > 40_100 {
			t.Fatalf("frame %d is shown %d µs after the one before", n, d)
		}
	}
}

// What belongs to the picture stays with it, also when the sound comes half a
// second later, in times in which the clock is caught up with, and across a jump.
func TestMapper_SoundStaysWithThePicture(t *testing.T) {
	for _, by := range []int64{-2 * second, 2 * second, -3600 * second} {
		m := New()
		clock := stepAt(100*second, by)
		video := map[int64]int64{} // by media time
		last := int64(-1)
		for i := range int64(25 * 200) {
			now := i * second / 25
			m.observe(now, now, clock(now), i%50 == 0)
			video[now] = m.curve.reference(now) / 1000
			heard := now - second/2 // captured then, comes now
			if heard < 0 {
				continue
			}
			at := m.follow(heard, now, clock(now))
			if want, ok := video[heard]; ok && at-want > 1 || at-want < -1 {
				t.Fatalf("set by %v: sound of %v is at %d, its picture at %d", time.Duration(by), time.Duration(heard), at, want)
			}
			if at <= last && by > -600*second {
				t.Fatalf("sound goes back")
			}
			last = at
		}
	}
}

func TestMapper_SoundIsNeverFarAhead(t *testing.T) {
	m := New()
	for i := range int64(250) {
		now := i * second / 25
		m.observe(now, now, steady(now), i%50 == 0)
	}
	at := m.follow(20*second, 10*second, steady(10*second)) // it shows the camera's new clock before the video
	if ahead := time.Duration(at*1000 - steady(10*second)); ahead > time.Second {
		t.Errorf("sound is %v ahead", ahead)
	}
	if next := m.follow(20*second+20e6, 10*second+20e6, steady(10*second+20e6)); next <= at {
		t.Errorf("sound goes back from %d to %d", at, next)
	}
}

func TestMapper_TakesTheClockOfTheArrival(t *testing.T) {
	m := New()
	now := time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC) // then Europe changes to summer time
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for i := range int64(500) {
		got := m.Reference(i*3600, 90_000, true, now.In(berlin))
		if want := now.UnixMicro(); got != want {
			t.Fatalf("unit %d at %d, want %d", i, got, want)
		}
		if sound := m.Follow(i*320, 8_000, now); i > 0 && sound != got {
			t.Fatalf("sound %d at %d, want %d", i, sound, got)
		}
		now = now.Add(40 * time.Millisecond)
	}
	if m := New(); m.Reference(90_000, 90_000, true, time.Time{}) != 0 || m.Follow(1, 0, time.Time{}) != 0 {
		t.Error("there is a time though nothing ever arrived")
	}
}

func TestNanoseconds(t *testing.T) {
	for _, c := range []struct {
		pts   int64
		clock int
		want  int64
	}{
		{0, 90_000, 0},
		{90_000, 90_000, second},
		{90_000, 0, second},
		{-3600, 90_000, -40_000_000},
		{1 << 33, 90_000, 95443717688888}, // beyond the 32 and 33 bits that wrap
		{1_795_000_000 * 90_000, 90_000, 1_795_000_000 * second},
		{48_000*3 + 1, 48_000, 3*second + 20833},
	} {
		if got := nanoseconds(c.pts, c.clock); got != c.want {
			t.Errorf("nanoseconds(%d, %d) = %d, want %d", c.pts, c.clock, got, c.want)
		}
	}
}

func FuzzMapper(f *testing.F) {
	f.Add(int64(0), int64(3600), 90_000, int64(0), int64(40_000_000), true)
	f.Add(int64(1<<62), int64(-1<<62), 1, int64(1<<60), int64(-1<<60), false)
	f.Fuzz(func(t *testing.T, a, b int64, clock int, x, y int64, key bool) {
		m := New()
		for i := range int64(20) {
			m.Reference(a+i*b, clock, key, time.Unix(0, x+i*y))
			m.Follow(a-i*b, clock, time.Unix(0, y+i*x))
		}
		m.Reconnect()
		m.Reference(b, clock, key, time.Unix(0, y))
	})
}
