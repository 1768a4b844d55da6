package testsrc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is an Output that keeps everything, and may do something at a unit.
type recorder struct {
	tracks  []codecs.Track
	units   []*codecs.Unit
	written func(u *codecs.Unit)
}

func (r *recorder) SetTracks(t []codecs.Track) { r.tracks = t }
func (r *recorder) Warn(string, string)        {}
func (r *recorder) WriteUnit(u *codecs.Unit) {
	r.units = append(r.units, u)
	if r.written != nil {
		r.written(u)
	}
}

// of returns the units of a track.
func (r *recorder) of(track int) []*codecs.Unit {
	var out []*codecs.Unit
	for _, u := range r.units {
		if u.Track == track {
			out = append(out, u)
		}
	}
	return out
}

func small() testpattern.Options { return testpattern.Options{Width: 640, Height: 360} }

func newSource(t *testing.T, o Options) *Source {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a source for a while.
func run(t *testing.T, s *Source, r *recorder, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run: %v", err)
	}
}

// keys returns the places of the key frames.
func keys(units []*codecs.Unit) []int {
	var out []int
	for i, u := range units {
		if u.Key {
			out = append(out, i)
		}
	}
	return out
}

func TestSource_FramesComeAtTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(17 * time.Millisecond) // off the grid
		r := &recorder{}
		begin := time.Now()
		r.written = func(u *codecs.Unit) {
			if !u.Wall.Equal(time.Now()) || !u.Arrived.Equal(time.Now()) {
				t.Errorf("frame of %v arrived %v at %v", u.Wall, u.Arrived, time.Now())
			}
		}
		s := newSource(t, Options{Picture: small()})
		run(t, s, r, 5*time.Second)
		if n := len(r.units); n != 125 {
			t.Fatalf("%d frames in 5 s", n)
		}
		if d := r.units[0].Wall.Sub(begin); d < 0 || d >= 40*time.Millisecond {
			t.Errorf("the first frame came after %v", d)
		}
		for i, u := range r.units {
			if u.PTS != u.Wall.UnixMicro()*9/100 {
				t.Errorf("frame %d: PTS %d at %v", i, u.PTS, u.Wall)
			}
			if i > 0 && u.PTS-r.units[i-1].PTS != 3600 {
				t.Errorf("frame %d: PTS rises by %d", i, u.PTS-r.units[i-1].PTS)
			}
			if u.Wall.Nanosecond()%int(40*time.Millisecond) != 0 {
				t.Errorf("frame %d at %v is off the grid", i, u.Wall)
			}
		}
		if diff := cmp.Diff([]int{0, 50, 100}, keys(r.units)); diff != "" {
			t.Errorf("key frames: %s", diff)
		}
		sps, pps := r.units[0].Payload[0], r.units[0].Payload[1]
		want := []codecs.Track{{Codec: codecs.H264, ClockRate: 90_000, SPS: sps, PPS: pps}}
		if diff := cmp.Diff(want, r.tracks); diff != "" {
			t.Errorf("tracks: %s", diff)
		}
		if s.Missed() != 0 {
			t.Errorf("%d frames missed", s.Missed())
		}
	})
}

func TestSource_UnevenFrameTimesKeepStampAndPTSTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := small()
		o.FPS = 30
		r := &recorder{}
		run(t, newSource(t, Options{Picture: o}), r, 3*time.Second-time.Nanosecond)
		if n := len(r.units); n != 90 {
			t.Fatalf("%d frames in 3 s", n)
		}
		for i, u := range r.units {
			if u.PTS != u.Wall.UnixMicro()/100*9 || u.Wall.Nanosecond()%100_000 != 0 {
				t.Errorf("frame %d: PTS %d at %v", i, u.PTS, u.Wall)
			}
		}
	})
}

func TestSource_SoundGoesWithThePicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(1234567 * time.Nanosecond)
		r := &recorder{}
		run(t, newSource(t, Options{Picture: small(), Audio: true}), r, 4*time.Second)
		if len(r.tracks) != 2 || r.tracks[1].Codec != codecs.PCMU || r.tracks[1].ClockRate != 8000 || r.tracks[1].Channels != 1 {
			t.Fatalf("tracks %+v", r.tracks)
		}
		blocks := r.of(audioTrack)
		if n := len(blocks); n < 198 || n > 200 {
			t.Fatalf("%d blocks in 4 s", n)
		}
		loud := 0
		for i, u := range blocks {
			if len(u.Payload) != 1 || len(u.Payload[0]) != 160 || !u.Key {
				t.Fatalf("block %d is no 20 ms of sound", i)
			}
			if i > 0 && u.PTS-blocks[i-1].PTS != 160 {
				t.Errorf("block %d: PTS rises by %d", i, u.PTS-blocks[i-1].PTS)
			}
			if u.PTS*125 != u.Wall.UnixMicro() {
				t.Errorf("block %d: PTS %d at %v", i, u.PTS, u.Wall)
			}
			if d := u.Arrived.Sub(u.Wall); d != 20*time.Millisecond {
				t.Errorf("block %d arrived %v after its first sample", i, d)
			}
			quiet := true
			for _, v := range u.Payload[0] {
				quiet = quiet && v == silence
			}
			if begins := u.Wall.Nanosecond() == 0; begins && quiet {
				t.Errorf("no tick at %v", u.Wall)
			} else if u.Wall.Nanosecond() >= int(60*time.Millisecond) && !quiet {
				t.Errorf("sound at %v", u.Wall)
			} else if begins {
				loud++
			}
		}
		if loud < 3 {
			t.Errorf("%d ticks in 4 s", loud)
		}
		for i := 1; i < len(r.units); i++ {
			if r.units[i].Arrived.Before(r.units[i-1].Arrived) {
				t.Errorf("unit %d comes before unit %d", i, i-1)
			}
		}
	})
}

func TestSource_KeyFrameOnRequestButNotTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, Options{Picture: testpattern.Options{Width: 640, Height: 360, GOP: 10 * time.Second}})
		n := 0
		r := &recorder{written: func(*codecs.Unit) {
			switch n {
			case 19: // alone: served by the next frame
				s.RequestKeyFrame()
			case 22, 23, 24, 25: // too soon after it: once, half a second later
				s.RequestKeyFrame()
			}
			n++
		}}
		run(t, s, r, 4*time.Second)
		if diff := cmp.Diff([]int{0, 20, 33}, keys(r.units)); diff != "" {
			t.Errorf("key frames: %s", diff)
		}
	})
}

func TestSource_RunsAgainWithAKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newSource(t, Options{Picture: small(), Audio: true}), &recorder{}
		run(t, s, r, 500*time.Millisecond)
		first := len(r.of(videoTrack))
		run(t, s, r, 500*time.Millisecond)
		frames := r.of(videoTrack)
		if len(frames) <= first || !frames[first].Key {
			t.Fatalf("%d frames, then %d; the second run begins without key frame", first, len(frames)-first)
		}
		for i := 1; i < len(frames); i++ {
			if frames[i].PTS <= frames[i-1].PTS {
				t.Errorf("frame %d: PTS falls from %d to %d", i, frames[i-1].PTS, frames[i].PTS)
			}
		}
	})
}

func TestSource_RefusesToRunTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, Options{Picture: small()})
		var second error
		r := &recorder{}
		r.written = func(*codecs.Unit) { second = s.Run(t.Context(), &recorder{}) }
		run(t, s, r, 50*time.Millisecond)
		if !errors.Is(second, ErrRunning) {
			t.Errorf("the second Run returned %v", second)
		}
	})
}

func TestSource_LeavesLateFramesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSource(t, Options{Picture: small(), Audio: true}), 0
		r := &recorder{}
		r.written = func(u *codecs.Unit) {
			if late := time.Since(u.Wall); late > maxLag+20*time.Millisecond {
				t.Errorf("a unit of %v was made %v late", u.Wall, late)
			}
			if n++; n == 20 {
				<-time.After(time.Second)
			}
		}
		run(t, s, r, 3*time.Second)
		frames := r.of(videoTrack)
		if s.Missed() < 20 || s.Missed() > 25 {
			t.Errorf("%d frames missed by a stop of 1 s", s.Missed())
		}
		if total := uint64(len(frames)) + s.Missed(); total < 74 || total > 76 {
			t.Errorf("%d frames made, %d missed in 3 s", len(frames), s.Missed())
		}
	})
}

func TestNew_RefusesWhatThePictureCannotBe(t *testing.T) {
	if _, err := New(Options{Picture: testpattern.Options{Width: 3, Height: 3}}); !errors.Is(err, testpattern.ErrOptions) {
		t.Errorf("New: %v", err)
	}
}
