package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/recordings"
)

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// written writes units a second at a time, as a recorder does: the end of each piece
// is known.
func written(t *testing.T, tape *Tape, video, sound []*codecs.Unit) {
	t.Helper()
	for len(video) > 0 {
		n := min(22, len(video))
		var end recordings.Time
		if n < len(video) {
			end = earliest(video[n:])
		}
		heard := len(sound)
		if n < len(video) {
			heard = min(2*n+7, heard) // the sound comes a little earlier, 50 units a second
		}
		if err := tape.Write(t.Context(), video[:n], sound[:heard], end); err != nil {
			t.Fatal(err)
		}
		video, sound = video[n:], sound[heard:]
	}
}

func newTape(t *testing.T, s *shelf, f *film, sound *codecs.Track, change func(*TapeOptions)) *Tape {
	t.Helper()
	o := TapeOptions{Stream: front(), Store: s}
	if change != nil {
		change(&o)
	}
	tape := NewTape(o)
	tape.SetTracks(f.track(), sound)
	t.Cleanup(func() {
		if err := tape.Close(); err != nil {
			t.Error(err)
		}
	})
	return tape
}

func TestTape_KeepsEveryFrameAndEverySound(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	m := &music{at: f.at}
	tape := newTape(t, s, f, m.track(), func(o *TapeOptions) { o.SegmentDuration = 10 * time.Second })
	written(t, tape, f.frames(1000), m.frames(2000))
	if err := tape.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(s.books(front())); got != 4 {
		t.Fatalf("%d segments, want 4", got)
	}
	wantCauses(t, s.gaps(t, front()))
	at, heard := f.at, f.at
	for _, b := range s.books(front()) {
		if !b.closed || b.Start != at || b.End != at.Add(10*time.Second) {
			t.Errorf("segment from %v to %v, want it from %v", b.Start, b.End, at)
		}
		video, sound := b.units(t)
		for _, u := range video {
			if recordings.Time(u.At) != at {
				t.Fatalf("frame at %v, want %v", recordings.Time(u.At), at)
			}
			at = at.Add(40 * time.Millisecond)
		}
		for _, u := range sound {
			if recordings.Time(u.At) != heard {
				t.Fatalf("sound at %v, want %v", recordings.Time(u.At), heard)
			}
			heard = heard.Add(20 * time.Millisecond)
		}
	}
	c := tape.Counts()
	if c.Frames != 1000 || c.FramesLost != 0 || c.Segments != 4 || c.Bytes == 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestTape_FragmentsBeginAtKeyFrames(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	written(t, tape, f.frames(250), nil)
	keys := 0
	for _, fr := range s.books(front())[0].Fragments {
		if fr.Key {
			if at := fr.Start.Sub(f.at); at%time.Second != 0 {
				t.Errorf("key frame after %v", at)
			}
			keys++
		}
	}
	if keys != 10 {
		t.Errorf("%d fragments begin with a key frame, want 10", keys)
	}
}

func TestTape_BeginsAtAKeyFrame(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	f.skip(5)
	tape := newTape(t, s, f, nil, nil)
	written(t, tape, f.frames(60), nil)
	if at := s.frames(t, front()); len(at) != 40 || at[0] != int64(f.at)+1_000_000 {
		t.Errorf("%d frames", len(at))
	}
	if tape.Counts().FramesLost != 20 {
		t.Errorf("%d lost", tape.Counts().FramesLost)
	}
}

func TestTape_NewParameterSetsNewSegment(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	units := f.frames(25)
	g := newFilm(t, noon())
	e := *g
	e.sps = bytes.Clone(f.sps)
	e.sps[3]-- // another level
	e.skip(25)
	units = append(units, e.frames(25)...)
	written(t, tape, units, nil)
	books := s.books(front())
	if len(books) != 2 || books[0].End != books[1].Start || books[1].Before != "" {
		t.Fatalf("%d segments", len(books))
	}
	if books[0].Format.Video == books[1].Format.Video {
		t.Errorf("both are %s", books[0].Format.Video)
	}
}

func TestTape_PictureSetsThatAlwaysChangeMakeFewSegments(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	var units []*codecs.Unit
	for i := range 60 {
		f.pps = append(bytes.Clone(f.pps[:len(f.pps):len(f.pps)]), byte(i))
		units = append(units, f.frames(25)...)
	}
	written(t, tape, units, nil)
	if n := len(s.books(front())); n != 6 {
		t.Errorf("%d segments in a minute, want 6", n)
	}
	if n := len(s.frames(t, front())); n != 1500 {
		t.Errorf("%d frames", n)
	}
}

func TestTape_CodecAndSoundChangeNewSegment(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	m := &music{at: f.at}
	tape := newTape(t, s, f, m.track(), nil)
	written(t, tape, f.frames(50), m.frames(100))
	tape.SetTracks(f.track(), &codecs.Track{Codec: codecs.PCMA, ClockRate: 8000, Channels: 1})
	written(t, tape, f.frames(50), m.frames(100))
	tape.SetTracks(f.track(), nil)
	written(t, tape, f.frames(50), m.frames(100))
	var audio []string
	for _, b := range s.books(front()) {
		audio = append(audio, b.Format.Audio)
		if _, sound := b.units(t); len(sound) != 100 && b.Format.Audio != "" {
			t.Errorf("%s: %d units of sound", b.Format.Audio, len(sound))
		}
	}
	if !slices.Equal(audio, []string{"ulaw", "alaw", ""}) {
		t.Errorf("segments with sound %q", audio)
	}
	wantCauses(t, s.gaps(t, front()))
}

func TestTape_SoundNeverStopsTheVideo(t *testing.T) {
	for _, sound := range []codecs.Track{
		{Codec: codecs.Unknown, ClockRate: 16000, Channels: 1},
		{Codec: codecs.AAC, ClockRate: 16000, Channels: 1, AudioConfig: []byte{0xff}},
		{Codec: codecs.AAC},
	} {
		s, f := &shelf{}, newFilm(t, noon())
		m := &music{at: f.at}
		tape := newTape(t, s, f, &sound, nil)
		written(t, tape, f.frames(50), m.frames(100))
		if n := len(s.frames(t, front())); n != 50 {
			t.Errorf("%+v: %d frames", sound, n)
		}
	}
}

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

// A hole is filled by a tape that knows of nothing else.
func TestTape_Backfill(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, func(o *TapeOptions) { o.Origin = recordings.Backfill })
	for range 3 {
		units := f.frames(25)
		for _, u := range units {
			u.Arrived = recordings.Time(u.At).Std().Add(-time.Hour)
		}
		if err := tape.Write(t.Context(), units, nil, recordings.Time(units[24].At+40_000)); err != nil {
			t.Fatal(err)
		}
	}
	b := s.books(front())[0]
	if b.Origin != recordings.Backfill || b.ClockOffset != 0 || b.Before != "" || b.End.Sub(b.Start) != 3*time.Second {
		t.Errorf("origin %q, offset %v, after %q, %v long", b.Origin, b.ClockOffset, b.Before, b.End.Sub(b.Start))
	}
}

func TestTape_SaysThatItIsSigned(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, func(o *TapeOptions) { o.SegmentDuration = 2 * time.Second })
	units := f.frames(100)
	id := mediasign.UUID()
	sei := append([]byte{0x06, 5, 16}, id[:]...)
	units[3].Payload = slices.Insert(units[3].Payload, 0, append(sei, 0x80))
	written(t, tape, units, nil)
	for _, b := range s.books(front()) {
		if !b.Format.Signed {
			t.Errorf("the segment at %v is not signed", b.Start)
		}
	}
}

// bframes makes I P B B groups, and open GOPs: the two B-frames after a key frame
// are shown before it.
func bframes(f *film, groups int) (units []*codecs.Unit) {
	order := []int64{2, 0, 1, 5, 3, 4, 8, 6, 7, 11, 9, 10}
	for g := range int64(groups) {
		for i, at := range order {
			u := f.next()
			n := g*int64(len(order)) + at
			u.PTS, u.At = n*3600, int64(f.at)+n*40_000
			if u.Key = i == 0; u.Key {
				u.Payload = [][]byte{f.sps, f.pps, {0x65, 1}}
			}
			units = append(units, u)
		}
	}
	return units
}

func TestTape_BFramesAreKept(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	f.gop = 1 << 40
	tape := newTape(t, s, f, nil, func(o *TapeOptions) { o.SegmentDuration = 2 * time.Second })
	units := bframes(f, 40)
	var want []int64
	for _, u := range units {
		want = append(want, u.At)
	}
	for len(units) > 0 { // cut where everything before is shown before everything after
		n := min(15, len(units))
		end := recordings.Time(0)
		if n < len(units) {
			end = earliest(units[n:])
		}
		if err := tape.Write(t.Context(), units[:n], nil, end); err != nil {
			t.Fatal(err)
		}
		units = units[n:]
	}
	if got := s.frames(t, front()); !slices.Equal(got, want) {
		t.Errorf("%d frames, want %d", len(got), len(want))
	}
	wantCauses(t, s.gaps(t, front()))
	if n := len(s.books(front())); n < 9 {
		t.Errorf("%d segments", n)
	}
}

// Whatever happens to a stream, its segments never overlap, and no frame is written
// twice.
func TestTape_RandomLives(t *testing.T) {
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 1))
		s, f := &shelf{}, newFilm(t, noon())
		tape := newTape(t, s, f, nil, func(o *TapeOptions) { o.SegmentDuration = 5 * time.Second })
		sent := 0
		for range 80 {
			switch random.IntN(12) {
			case 0:
				_ = tape.Break(recordings.Paused, 0)
			case 1:
				f.skip(random.Int64N(200))
			case 2:
				f.at = f.at.Add(time.Duration(random.Int64N(int64(4*time.Second))) - 2*time.Second)
			case 3:
				f.at = f.at.Add(-time.Duration(random.Int64N(int64(time.Hour))))
			case 4:
				s.appendErr = syscall.EIO
			case 5, 6:
				s.appendErr = nil
			}
			n := 1 + random.IntN(60)
			units := f.frames(n)
			for i := range units {
				units[i].At += random.Int64N(30_000) // PTS of some cameras are that uneven
			}
			end := recordings.Time(0)
			if random.IntN(3) > 0 {
				end = recordings.Time(int64(f.at) + f.n*f.interval)
			}
			_ = tape.Write(t.Context(), units, nil, end)
			tape.retry = time.Time{}
			sent += n
		}
		_ = tape.Close()
		s.gaps(t, front())
		c := tape.Counts()
		if got := len(s.frames(t, front())); got != int(c.Frames) || c.Frames+c.FramesLost != uint64(sent) {
			t.Errorf("seed %d: %d sent, %d written, %d lost, %d read", seed, sent, c.Frames, c.FramesLost, got)
		}
	}
}
