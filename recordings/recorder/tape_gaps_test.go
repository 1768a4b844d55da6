package recorder

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

func TestTape_BreakIsAGapWithItsCauses(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	written(t, tape, f.frames(50), nil)
	start := f.at
	_ = tape.Break(recordings.CameraOffline, 0)
	_ = tape.Break(recordings.CameraOffline, start.Add(5*time.Second))
	_ = tape.Break(recordings.Paused, start.Add(10*time.Second))
	_ = tape.Break(recordings.Schedule, start.Add(20*time.Second))
	f.skip(25 * 28)
	written(t, tape, f.frames(50), nil)
	_ = tape.Break(recordings.NoEvent, 0)
	f.skip(25)
	written(t, tape, f.frames(50), nil)
	got := s.gaps(t, front())
	wantCauses(t, got, recordings.CameraOffline, recordings.Paused, recordings.Schedule, recordings.NoEvent)
	for i, want := range []recordings.Range{
		{From: start.Add(2 * time.Second), To: start.Add(10 * time.Second)},
		{From: start.Add(10 * time.Second), To: start.Add(20 * time.Second)},
		{From: start.Add(20 * time.Second), To: start.Add(30 * time.Second)},
		{From: start.Add(32 * time.Second), To: start.Add(33 * time.Second)},
	} {
		if got[i].Range != want {
			t.Errorf("gap %d is %v, want %v", i, got[i].Range, want)
		}
	}
}

func TestTape_ManyCausesAreBounded(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	written(t, tape, f.frames(25), nil)
	for i := range 100 {
		cause := []recordings.Cause{recordings.CameraOffline, recordings.Paused}[i%2]
		_ = tape.Break(cause, f.at.Add(time.Duration(i+1)*time.Second))
	}
	f.skip(25 * 200)
	written(t, tape, f.frames(25), nil)
	got := s.gaps(t, front())
	if len(got) != 16 || got[0].From != f.at.Add(time.Second) || got[15].To != f.at.Add(201*time.Second) {
		t.Errorf("%d gaps: %v", len(got), got)
	}
}

func TestTape_TimeWithoutPicturesIsAGap(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	units := f.frames(30)
	f.skip(25*10 - 5) // the next one is a key frame
	units = append(units, f.frames(50)...)
	written(t, tape, units, nil)
	got := s.gaps(t, front())
	wantCauses(t, got, recordings.FramesLost)
	if d := got[0].Duration(); d != 9800*time.Millisecond {
		t.Errorf("the gap lasts %v", d)
	}
	if n := len(s.frames(t, front())); n != 80 {
		t.Errorf("%d frames", n)
	}
}

// Some cameras send nothing while nothing moves.
func TestTape_PicturesThatGoOnWithoutAKeyFrameAreKept(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	f.gop = 1000
	tape := newTape(t, s, f, nil, nil)
	units := f.frames(30)
	f.skip(25 * 5)
	units = append(units, f.frames(30)...)
	written(t, tape, units, nil)
	if n := len(s.frames(t, front())); n != 60 || len(s.books(front())) != 1 {
		t.Errorf("%d frames in %d segments", n, len(s.books(front())))
	}
}

func TestTape_SlowCamerasHaveNoGaps(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	f.interval, f.gop = 5_000_000, 1
	tape := newTape(t, s, f, nil, nil)
	for range 200 { // one at a time, without knowing the next
		u := f.next()
		if err := tape.Write(t.Context(), []*codecs.Unit{u}, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	got := s.gaps(t, front())
	if len(got) > 1 { // until it is known how slow the camera is
		t.Errorf("%d gaps", len(got))
	}
	if n := len(s.frames(t, front())); n != 200 {
		t.Errorf("%d frames", n)
	}
}

func TestTape_ClockSetForwardIsAGapOfItsOwn(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	units := f.frames(50)
	f.at = f.at.Add(time.Hour)
	units = append(units, f.frames(50)...)
	written(t, tape, units, nil)
	got := s.gaps(t, front())
	wantCauses(t, got, recordings.ClockStep)
	if got[0].Duration() != time.Hour {
		t.Errorf("the gap lasts %v", got[0].Duration())
	}
	if tape.Generation() != 0 || len(s.frames(t, front())) != 100 {
		t.Errorf("generation %d, %d frames", tape.Generation(), len(s.frames(t, front())))
	}
}

func TestTape_TimesThatGoBackBeginAGeneration(t *testing.T) {
	for _, back := range []time.Duration{3 * time.Second, time.Hour} {
		s, f := &shelf{}, newFilm(t, noon())
		tape := newTape(t, s, f, nil, func(o *TapeOptions) { o.Past.Generation = 2 })
		units := f.frames(500)
		f.at = f.at.Add(-back)
		units = append(units, f.frames(500)...)
		written(t, tape, units, nil)
		books := s.books(front())
		if len(books) != 2 || books[0].Generation != 2 || books[1].Generation != 3 || books[1].Before != "" {
			t.Fatalf("set back by %v: %d segments", back, len(books))
		}
		if n := len(s.frames(t, front())); n != 1000 {
			t.Errorf("set back by %v: %d frames", back, n)
		}
	}
}

func TestTape_WhatOverlapsThePastGetsAGeneration(t *testing.T) {
	for _, c := range []struct {
		past       Past
		generation int
		before     recordings.Cause
	}{
		{Past{}, 0, ""},
		{Past{End: recordings.TimeOf(noon()) - 5_000_000, Generation: 4}, 4, recordings.NotRecording},
		{Past{End: recordings.TimeOf(noon()) - 5_000_000, Cause: recordings.Crash}, 0, recordings.Crash},
		{Past{End: recordings.TimeOf(noon()) + 5_000_000, Generation: 4}, 5, ""},
	} {
		s, f := &shelf{}, newFilm(t, noon())
		tape := newTape(t, s, f, nil, func(o *TapeOptions) { o.Past = c.past })
		written(t, tape, f.frames(50), nil)
		b := s.books(front())[0]
		if b.Generation != c.generation || b.Before != c.before || len(b.Gaps) != 0 {
			t.Errorf("past %+v: generation %d after %q %v", c.past, b.Generation, b.Before, b.Gaps)
		}
	}
}

// The camera's count begins anew, with no time in between.
func TestTape_OtherCountNewSegment(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	units := f.frames(50)
	for _, u := range f.frames(50) {
		u.PTS -= 1 << 40
		units = append(units, u)
	}
	written(t, tape, units, nil)
	if n := len(s.books(front())); n != 2 {
		t.Fatalf("%d segments", n)
	}
	wantCauses(t, s.gaps(t, front()))
	if n := len(s.frames(t, front())); n != 100 {
		t.Errorf("%d frames", n)
	}
}

func TestTape_GoesOnAfterTheDiskDidNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := &shelf{}, newFilm(t, time.Now())
		tape := newTape(t, s, f, nil, nil)
		write := func(n int) error {
			<-time.After(time.Duration(n) * 40 * time.Millisecond)
			units := f.frames(n)
			return tape.Write(t.Context(), units, nil, recordings.Time(units[n-1].At).Add(40*time.Millisecond))
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(write(50))
		s.set(func() { s.appendErr = fmt.Errorf("write: %w", syscall.EIO) })
		if err := write(50); !errors.Is(err, syscall.EIO) {
			t.Fatalf("error %v", err)
		}
		s.set(func() { s.appendErr, s.createErr = nil, errors.New("no disk") })
		if err := write(500); err == nil {
			t.Fatal("no error")
		}
		if tape.Recording() {
			t.Error("it claims to be recording")
		}
		s.set(func() { s.createErr = nil })
		must(write(50))
		s.set(func() { s.appendErr = syscall.ENOSPC })
		if err := write(50); err == nil {
			t.Fatal("no error")
		}
		s.set(func() { s.appendErr = nil })
		must(write(50))
		got := s.gaps(t, front())
		wantCauses(t, got, recordings.DiskFailed, recordings.DiskFull)
		if lost := 750 - len(s.frames(t, front())); uint64(lost) != tape.Counts().FramesLost || lost < 500 || lost > 650 {
			t.Errorf("%d frames are missing, %d counted", lost, tape.Counts().FramesLost)
		}
	})
}

func TestTape_OffsetToTheClockIsWrittenDown(t *testing.T) {
	s, f := &shelf{}, newFilm(t, time.Now().Add(-70*time.Millisecond)) // the usual way takes that long
	tape := newTape(t, s, f, nil, nil)
	units := f.frames(25)
	for i, u := range units {
		u.Arrived = f.at.Std().Add(time.Duration(i)*40*time.Millisecond + 70*time.Millisecond)
	}
	written(t, tape, units, nil)
	_ = tape.Break(recordings.Unknown, 0)
	units = f.frames(25)
	for _, u := range units {
		u.Arrived = recordings.Time(u.At).Std().Add(-time.Minute)
	}
	written(t, tape, units, nil)
	books := s.books(front())
	if books[0].ClockOffset != 0 || books[1].ClockOffset != time.Minute {
		t.Errorf("offsets %v and %v", books[0].ClockOffset, books[1].ClockOffset)
	}
}
