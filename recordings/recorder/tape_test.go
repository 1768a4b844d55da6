package recorder

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
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

// A camera on a busy machine makes few pictures, and then more: what was guessed of
// the end of the last one was too long.
func TestTape_PicturesThatComeSoonerThanGuessedAreKept(t *testing.T) {
	s, f := &shelf{}, newFilm(t, noon())
	tape := newTape(t, s, f, nil, nil)
	frames := f.frames(40)
	few := []*codecs.Unit{frames[0], frames[10]}
	for _, piece := range [][]*codecs.Unit{few, frames[11:12], frames[12:14], frames[14:39]} {
		last := frames[slices.Index(frames, piece[len(piece)-1])+1]
		end := recordings.Time(last.At)
		if &piece[0] == &few[0] {
			end = halfway(few) // nothing more had come
		}
		if err := tape.Write(t.Context(), piece, nil, end); err != nil {
			t.Fatal(err)
		}
	}
	if err := tape.Close(); err != nil {
		t.Fatal(err)
	}
	if c := tape.Counts(); c.FramesLost != 0 || c.Frames != 30 || c.Segments != 1 {
		t.Errorf("counts %+v", c)
	}
	b := s.books(front())[0]
	at := f.at
	for i, fr := range b.Fragments {
		if fr.Start != at || fr.Duration <= 0 {
			t.Errorf("fragment %d from %v for %v, want it from %v", i, fr.Start, fr.Duration, at)
		}
		at = fr.End()
	}
	if want := recordings.Time(frames[39].At); b.End != want {
		t.Errorf("it ends at %v, want %v", b.End, want)
	}
	wantCauses(t, s.gaps(t, front()))
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
	for seed := range uint64(12) {
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
