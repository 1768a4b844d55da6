package recorder

import (
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/recordings"
)

func TestRecorder_PauseIsPrivate(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t).withMusic()
		s := record(t, h, Policy{Audio: true}, nil)
		h.show(10400 * time.Millisecond)
		from := recordings.TimeOf(time.Now())
		s.shelf.set(func() {
			s.shelf.pauses = map[string]recordings.Pause{"front": {Camera: "front", Range: recordings.Range{From: from}, By: "Anna"}}
		})
		h.show(10200 * time.Millisecond)
		st := s.Status()[0]
		if st.Recording || !st.Paused || st.Reason != "recording is paused by Anna" {
			t.Errorf("status %+v", st)
		}
		s.shelf.set(func() { s.shelf.pauses = nil })
		to := recordings.TimeOf(time.Now())
		h.show(10 * time.Second)
		if st := s.Status()[0]; !st.Recording || st.Paused || st.Reason != "" {
			t.Errorf("status %+v", st)
		}
		s.end()
		wantCauses(t, s.shelf.gaps(t, front()), recordings.Paused)
		for _, at := range s.shelf.frames(t, front()) {
			if at := recordings.Time(at); at >= from.Add(450*time.Millisecond) && at < to {
				t.Fatalf("a frame of the pause was recorded, %v after it began", at.Sub(from))
			}
		}
		for _, b := range s.shelf.books(front()) {
			_, sound := b.units(t)
			for _, u := range sound {
				if at := recordings.Time(u.At); at >= from.Add(450*time.Millisecond) && at < to {
					t.Fatalf("sound of the pause was recorded, %v after it began", at.Sub(from))
				}
			}
		}
		if books := s.shelf.books(front()); books[1].Start.Sub(to) > 1500*time.Millisecond {
			t.Errorf("recording went on %v after the pause", books[1].Start.Sub(to))
		}
		if h.asked == 0 {
			t.Error("no key frame was asked for")
		}
	})
}

func TestRecorder_PauseWithAnEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, nil)
		h.show(5 * time.Second)
		from := recordings.TimeOf(time.Now())
		p := recordings.Pause{Camera: "front", Range: recordings.Range{From: from, To: from.Add(5 * time.Second)}}
		s.shelf.set(func() { s.shelf.pauses = map[string]recordings.Pause{"front": p} })
		h.show(2 * time.Second)
		if st := s.Status()[0]; !st.Paused || !st.PausedUntil.Equal(p.To.Std()) || !strings.HasPrefix(st.Reason, "recording is paused until ") {
			t.Errorf("status %+v", st)
		}
		h.show(3 * time.Second)
		s.shelf.set(func() { s.shelf.pauses = nil })
		h.show(5 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 125}, [2]int64{250, 375})
		wantCauses(t, s.shelf.gaps(t, front()), recordings.Paused)
	})
}

// A pause holds even if the clock on the wall says that it has not begun.
func TestRecorder_PauseHoldsWhenTheClockIsBehind(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		from := recordings.TimeOf(time.Now().Add(24 * time.Hour))
		p := recordings.Pause{Camera: "front", Range: recordings.Range{From: from}}
		s := record(t, h, Policy{}, func(_ *Options, s *shelf) { s.pauses = map[string]recordings.Pause{"front": p} })
		h.show(10 * time.Second)
		if st := s.Status()[0]; st.Recording || !st.Paused || len(s.shelf.books(front())) != 0 {
			t.Errorf("status %+v, %d segments", st, len(s.shelf.books(front())))
		}
		s.shelf.set(func() { s.shelf.pauses = nil })
		to := recordings.TimeOf(time.Now())
		h.show(5 * time.Second)
		s.end()
		books := s.shelf.books(front())
		if len(books) != 1 || books[0].Start < to || books[0].Start.Sub(to) > 1500*time.Millisecond {
			t.Errorf("%d segments after the pause", len(books))
		}
	})
}

func TestGuard_PauseHoldsWhenTheClockIsSetBack(t *testing.T) {
	var s shelf
	g := newGuard("front", Policy{})
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	look := func(at time.Time) {
		if err := g.look(t.Context(), &s, at); err != nil {
			t.Fatal(err)
		}
	}
	s.pauses = map[string]recordings.Pause{"front": {Camera: "front", Range: recordings.Range{From: recordings.TimeOf(now)}}}
	look(now.Add(200 * time.Millisecond))
	if before := recordings.TimeOf(now.Add(-time.Millisecond)); g.rules().verdict(before) != "" {
		t.Error("what came before the pause is lost")
	}
	look(now.Add(700 * time.Millisecond))
	back := now.Add(-time.Hour)
	if g.rules().verdict(recordings.TimeOf(back)) != recordings.Paused {
		t.Error("the pause does not hold")
	}
	s.pauses = nil
	look(back)
	for at, want := range map[time.Duration]recordings.Cause{-time.Millisecond: recordings.Paused, time.Millisecond: "", time.Hour: ""} {
		if got := g.rules().verdict(recordings.TimeOf(back.Add(at))); got != want {
			t.Errorf("%v after the end of the pause: %q, want %q", at, got, want)
		}
	}
}

func TestRecorder_KeepsToItsTimes(t *testing.T) {
	virtual(t, func(t *testing.T) {
		times, err := ParseSchedule("sa 00:00-00:01,00:02-24:00", time.UTC) // it is Saturday
		if err != nil {
			t.Fatal(err)
		}
		h := newTheatre(t)
		s := record(t, h, Policy{Schedule: times}, nil)
		h.show(90 * time.Second)
		if st := s.Status()[0]; st.Recording || st.Reason != "outside of its times (sa 00:00-00:01,00:02-24:00), again from 00:02" {
			t.Errorf("status %+v", st)
		}
		h.show(60 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 1500}, [2]int64{3000, 3750})
		wantCauses(t, s.shelf.gaps(t, front()), recordings.Schedule)
	})
}

func TestRecorder_OnEventWithPreRoll(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t).withMusic()
		s := record(t, h, Policy{OnEvent: true, Audio: true, PreRoll: 3 * time.Second, PostRoll: 4 * time.Second}, nil)
		event := func(at time.Time, d time.Duration) {
			s.shelf.set(func() {
				from := recordings.TimeOf(at)
				s.shelf.events = append(s.shelf.events, recordings.Event{Camera: "front", Range: recordings.Range{From: from, To: from.Add(d)}})
			})
		}
		h.show(20 * time.Second)
		if st := s.Status()[0]; st.Recording || st.Reason != "waiting for something to happen" || st.PreRollBytes == 0 || st.PreRollBytes > 200_000 {
			t.Errorf("status %+v", st)
		}
		event(time.Now(), 0) // at 20 s: from 17 s to 24 s
		h.show(3 * time.Second)
		if st := s.Status()[0]; !st.Recording {
			t.Errorf("status %+v", st)
		}
		event(time.Now(), 2*time.Second) // at 23 s: until 29 s
		h.show(17 * time.Second)
		event(time.Now().Add(-time.Second), 0) // it was at 39 s: from 36 s to 43 s
		h.show(10 * time.Second)
		event(time.Now().Add(-500*time.Millisecond), 0) // right after the last one: at 49.5 s, from 46.5 s
		h.show(10 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{17 * 25, 29 * 25}, [2]int64{36 * 25, 43 * 25}, [2]int64{46 * 25, 54 * 25})
		wantCauses(t, s.shelf.gaps(t, front()), recordings.NoEvent, recordings.NoEvent)
		for _, b := range s.shelf.books(front()) {
			video, sound := b.units(t)
			if d := 2*len(video) - len(sound); d < -2 || d > 60 {
				t.Errorf("%d frames and %d units of sound", len(video), len(sound))
			}
		}
	})
}

func TestRecorder_EventsThatMeetAreOneRecording(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{OnEvent: true, PreRoll: 3 * time.Second, PostRoll: 2 * time.Second}, nil)
		h.show(10 * time.Second)
		for _, at := range []time.Duration{10, 14} { // from 7 to 12 s, and from 11 s on
			if at == 14 {
				h.show(4 * time.Second)
			}
			s.shelf.set(func() {
				from := h.film.at.Add(at * time.Second)
				s.shelf.events = append(s.shelf.events, recordings.Event{Camera: "front", Range: recordings.Range{From: from, To: from}})
			})
		}
		h.show(10 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{7 * 25, 16 * 25})
		wantCauses(t, s.shelf.gaps(t, front()))
	})
}

func TestRecorder_PreRollIsBounded(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{OnEvent: true, PreRoll: 10 * time.Minute}, func(o *Options, _ *shelf) { o.PreRollBytes = 100_000 })
		for range 30 {
			h.show(time.Second)
			if st := s.Status()[0]; st.PreRollBytes > 100_000 {
				t.Fatalf("%d bytes are kept", st.PreRollBytes)
			}
		}
		s.shelf.set(func() {
			from := recordings.TimeOf(time.Now())
			s.shelf.events = []recordings.Event{{Camera: "front", Range: recordings.Range{From: from, To: from}}}
		})
		h.show(2 * time.Second)
		s.end()
		books := s.shelf.books(front())
		if len(books) != 1 || !books[0].Fragments[0].Key || len(s.shelf.frames(t, front())) < 100 {
			t.Errorf("%d segments, %d frames", len(books), len(s.shelf.frames(t, front())))
		}
	})
}

// A camera whose key frames are further apart than the pre-roll has room for.
func TestRecorder_PreRollOfOneLongGOPIsKept(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		h.film.gop = 25 * 60
		s := record(t, h, Policy{OnEvent: true, PreRoll: 5 * time.Second}, func(o *Options, _ *shelf) { o.PreRollBytes = 100_000 })
		h.show(20 * time.Second) // 500 kB
		if h.asked != 1 {
			t.Errorf("a key frame was asked for %d times", h.asked)
		}
		s.shelf.set(func() {
			from := recordings.TimeOf(time.Now())
			s.shelf.events = []recordings.Event{{Camera: "front", Range: recordings.Range{From: from, To: from}}}
		})
		h.show(2 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 22 * 25})
	})
}

func TestPreRoll_TheOnlyGOPIsBoundedToo(t *testing.T) {
	f := newFilm(t, time.Unix(0, 0))
	f.gop = 100
	p := preRoll{keep: time.Second, limit: 10_000, most: 50_000}
	for range 90 {
		p.add(f.next())
		if p.bytes > p.most || p.bytes < 0 {
			t.Fatalf("%d bytes", p.bytes)
		}
	}
	if len(p.gops) != 0 {
		t.Errorf("%d GOPs, of which no beginning is left", len(p.gops))
	}
	f.skip(10)
	p.add(f.next())
	if len(p.gops) != 1 {
		t.Error("the next GOP is not kept")
	}
}

// Sound comes and pictures do not: for ever, if need be.
func TestRecorder_SoundWithoutPicturesIsBounded(t *testing.T) {
	for _, onEvent := range []bool{false, true} {
		virtual(t, func(t *testing.T) {
			h := newTheatre(t).withMusic()
			s := record(t, h, Policy{Audio: true, OnEvent: onEvent}, nil)
			h.show(10 * time.Second)
			for range 100 {
				h.set(func() {
					for _, u := range h.music.frames(50) {
						h.sound = append(h.sound, rtppack.NewFrame(h.music.track().Codec, u))
					}
				})
				<-time.After(time.Second)
			}
			st := s.Status()[0]
			if n := st.SoundLost; n < 5000-maxSound-100 || n > 5000-maxSound {
				t.Errorf("on event %t: %d units of sound were dropped", onEvent, st.SoundLost)
			}
			if onEvent && st.PreRollBytes > 25*1000*10+160*(maxSound+500) {
				t.Errorf("%d bytes are kept", st.PreRollBytes)
			}
			h.set(func() { h.offline = "the camera is away" })
			<-time.After(10 * time.Second)
			if n := s.Status()[0].SoundLost; !onEvent && n < 4900 {
				t.Errorf("%d units of sound were dropped when the camera went away", n)
			}
			s.end()
		})
	}
}

func TestRecorder_PauseForgetsThePreRoll(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{OnEvent: true}, nil)
		h.show(10 * time.Second)
		s.shelf.set(func() {
			s.shelf.pauses = map[string]recordings.Pause{"front": {Camera: "front", Range: recordings.Range{From: recordings.TimeOf(time.Now())}}}
		})
		h.show(time.Second)
		if st := s.Status()[0]; st.PreRollBytes != 0 {
			t.Errorf("%d bytes are kept in a pause", st.PreRollBytes)
		}
		s.shelf.set(func() { s.shelf.pauses = nil })
		h.show(time.Second)
		s.shelf.set(func() {
			from := recordings.TimeOf(time.Now())
			s.shelf.events = []recordings.Event{{Camera: "front", Range: recordings.Range{From: from, To: from}}}
		})
		h.show(2 * time.Second)
		s.end()
		if first := s.shelf.books(front())[0].Start; first.Sub(h.film.at) < 11*time.Second {
			t.Errorf("the recording begins %v after the start, which is before the pause ended", first.Sub(h.film.at))
		}
	})
}
