package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// wantFrames checks that exactly those frames were recorded, by their numbers.
func wantFrames(t *testing.T, s *studio, f *film, want ...[2]int64) {
	t.Helper()
	var numbers []int64
	for _, at := range s.shelf.frames(t, front()) {
		numbers = append(numbers, (at-int64(f.at))/f.interval)
	}
	var all []int64
	for _, r := range want {
		for n := r[0]; n < r[1]; n++ {
			all = append(all, n)
		}
	}
	if !slices.Equal(numbers, all) {
		t.Errorf("frames %v were recorded, want %v", runs(numbers), want)
	}
}

// runs sums up numbers that follow each other.
func runs(numbers []int64) (r [][2]int64) {
	for _, n := range numbers {
		if k := len(r); k > 0 && r[k-1][1] == n {
			r[k-1][1]++
			continue
		}
		r = append(r, [2]int64{n, n + 1})
	}
	return r
}

func TestRecorder_RecordsEverything(t *testing.T) {
	for _, late := range []int{0, 15} { // the sound comes up to 300 ms later than its picture
		virtual(t, func(t *testing.T) { recordsEverything(t, late) })
	}
}

func recordsEverything(t *testing.T, late int) {
	t.Helper()
	h := newTheatre(t).withMusic()
	h.late = late
	s := record(t, h, Policy{Audio: true}, func(o *Options, _ *shelf) { o.SegmentDuration = time.Minute })
	h.show(150 * time.Second)
	s.end()
	wantFrames(t, s, h.film, [2]int64{0, 3750})
	wantCauses(t, s.shelf.gaps(t, front()))
	heard := 0
	for _, b := range s.shelf.books(front()) {
		_, sound := b.units(t)
		heard += len(sound)
	}
	if n := len(s.shelf.books(front())); n != 3 || heard != 7500-late {
		t.Errorf("%d segments, %d units of sound", n, heard)
	}
	st := s.Status()[0]
	if st.Frames != 3750 || st.FramesLost != 0 || st.Bytes == 0 || st.Segments != 3 || st.QueueBytes != 0 {
		t.Errorf("status %+v", st)
	}
}

// No frame is ever older than SyncEvery when it is written and a sync begins.
func TestRecorder_NothingStaysUnwritten(t *testing.T) {
	for _, c := range []struct {
		name     string
		interval int64
		bframes  bool
		every    time.Duration
	}{
		{"25 a second", 40_000, false, time.Second},
		{"12 a second", 83_333, false, time.Second},
		{"one in 3 s", 3_000_000, false, time.Second},
		{"every 5 s", 40_000, false, 5 * time.Second},
		{"every 200 ms", 40_000, false, 200 * time.Millisecond},
		{"B-frames", 40_000, true, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				h := newTheatre(t)
				h.film.interval, h.film.gop = c.interval, 12
				s := record(t, h, Policy{}, func(o *Options, _ *shelf) { o.SyncEvery = c.every })
				arrived := make(map[int64]time.Time)
				var groups []*codecs.Unit
				if c.bframes {
					groups = bframes(h.film, 60)
				}
				for range 700 {
					u := h.film.next()
					if c.bframes {
						u, groups = groups[0], groups[1:]
						u.Arrived = time.Now()
					}
					arrived[u.At] = u.Arrived
					h.put(u)
					<-time.After(time.Duration(c.interval) * time.Microsecond)
				}
				s.end()
				n := 0
				for _, b := range s.shelf.books(front()) {
					video, _ := b.units(t)
					for i, f := range b.Fragments {
						for _, u := range video[:f.Frames] {
							if age := b.written[i].Sub(arrived[u.At]); age > c.every {
								t.Fatalf("a frame was written %v after it came", age)
							}
						}
						n += f.Frames
						video = video[f.Frames:]
					}
				}
				if n != 700 {
					t.Errorf("%d frames were written", n)
				}
				wantCauses(t, s.shelf.gaps(t, front()))
				seconds := int(700 * c.interval / 1_000_000)
				if syncs := s.shelf.syncs; syncs > int(3*time.Duration(seconds)*time.Second/c.every)+5 {
					t.Errorf("%d syncs in %d s", syncs, seconds)
				}
			})
		})
	}
}

func TestRecorder_OneSyncForAllCameras(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, func(o *Options, _ *shelf) {
			for i := range 15 {
				o.Inputs = append(o.Inputs, Input{Camera: fmt.Sprint("camera", i), Feeds: map[string]Feed{recordings.Main: h}})
			}
		})
		h.show(27 * time.Second)
		s.end()
		if s.shelf.syncs < 30 || s.shelf.syncs > 34 {
			t.Errorf("%d syncs in 27 s, want one each 0.9 s", s.shelf.syncs)
		}
		for _, st := range s.Status() {
			if st.Frames != 675 {
				t.Errorf("%s: %d frames", st.Camera, st.Frames)
			}
		}
	})
}

func TestRecorder_SubAndBoth(t *testing.T) {
	virtual(t, func(t *testing.T) {
		main, sub := newTheatre(t), newTheatre(t)
		s := record(t, main, Policy{Renditions: []string{recordings.Sub, recordings.Main}}, func(o *Options, _ *shelf) {
			o.Inputs[0].Feeds[recordings.Sub] = sub
			o.Inputs = append(o.Inputs, Input{Camera: "back", Policy: Policy{Renditions: []string{recordings.Sub}}, Feeds: o.Inputs[0].Feeds})
		})
		sub.show(10 * time.Second)
		s.end()
		if n := len(s.shelf.frames(t, recordings.Stream{Camera: "front", Rendition: recordings.Sub})); n != 250 {
			t.Errorf("%d frames of sub", n)
		}
		if n := len(s.shelf.frames(t, recordings.Stream{Camera: "back", Rendition: recordings.Sub})); n != 250 {
			t.Errorf("%d frames of the other camera", n)
		}
		if n := len(s.shelf.books(recordings.Stream{Camera: "back", Rendition: recordings.Main})); n != 0 {
			t.Errorf("%d segments that nobody wanted", n)
		}
	})
}

func TestRecorder_CameraOfflineIsAGap(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, nil)
		h.show(10 * time.Second)
		h.set(func() { h.offline = "the camera is offline: no answer" })
		h.dark(20 * time.Second)
		if st := s.Status()[0]; st.Recording || st.Reason != "the camera is offline: no answer" || time.Since(st.Since) < 19*time.Second {
			t.Errorf("status %+v", st)
		}
		s.shelf.set(func() {
			s.shelf.pauses = map[string]recordings.Pause{"front": {Camera: "front", Range: recordings.Range{From: recordings.TimeOf(time.Now())}}}
		})
		h.dark(20 * time.Second)
		s.shelf.set(func() { s.shelf.pauses = nil })
		h.dark(20 * time.Second)
		h.set(func() { h.offline = "" })
		h.show(10 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 250}, [2]int64{1750, 2000})
		gaps := s.shelf.gaps(t, front())
		wantCauses(t, gaps, recordings.CameraOffline, recordings.Paused, recordings.CameraOffline)
		for i, want := range []time.Duration{20, 20, 20} {
			if d := gaps[i].Duration() - want*time.Second; d.Abs() > time.Second {
				t.Errorf("gap %d lasts %v", i, gaps[i].Duration())
			}
		}
	})
}

func TestRecorder_SaysWhatWasBefore(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		h.offline = "connecting to the camera"
		past := Past{End: recordings.TimeOf(time.Now()).Add(-time.Hour), Generation: 3, Cause: recordings.Crash}
		s := record(t, h, Policy{}, func(_ *Options, s *shelf) { s.past = map[recordings.Stream]Past{front(): past} })
		h.dark(800 * time.Millisecond) // that is no reason
		h.set(func() { h.offline = "" })
		h.film.n = 25
		h.show(10 * time.Second)
		s.end()
		b := s.shelf.books(front())[0]
		if b.Generation != 3 || b.Before != recordings.Crash || len(b.Gaps) != 0 {
			t.Errorf("generation %d after %q %v", b.Generation, b.Before, b.Gaps)
		}
	})
}

func TestRecorder_FramesThatWereSkippedAreAGap(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, nil)
		h.show(10 * time.Second)
		h.dark(time.Second) // one GOP
		h.set(func() { h.skipped = 25 })
		h.show(10 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 250}, [2]int64{275, 525})
		wantCauses(t, s.shelf.gaps(t, front()), recordings.FramesLost)
		if st := s.Status()[0]; st.FramesLost != 25 {
			t.Errorf("%d frames lost", st.FramesLost)
		}
	})
}

func TestRecorder_FullDiskIsTriedAgain(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, func(_ *Options, s *shelf) { s.createErr = fmt.Errorf("the disk is full: %w", syscall.ENOSPC) })
		h.show(10 * time.Second)
		if st := s.Status()[0]; st.Recording || !strings.Contains(st.Reason, "the disk is full") || st.QueueBytes > 50_000 {
			t.Errorf("status %+v", st)
		}
		s.shelf.set(func() { s.shelf.createErr = nil })
		h.show(10 * time.Second)
		if st := s.Status()[0]; !st.Recording {
			t.Errorf("status %+v", st)
		}
		s.shelf.set(func() { s.shelf.appendErr, s.shelf.createErr = syscall.EIO, errors.New("there is no disk") })
		h.show(10 * time.Second)
		s.shelf.set(func() { s.shelf.appendErr, s.shelf.createErr = nil, nil })
		h.show(10 * time.Second)
		s.end()
		st := s.Status()[0]
		if missing := 1000 - len(s.shelf.frames(t, front())); uint64(missing) != st.FramesLost || missing < 500 || missing > 600 {
			t.Errorf("%d frames are missing, %d counted", missing, st.FramesLost)
		}
		wantCauses(t, s.shelf.gaps(t, front()), recordings.DiskFailed)
	})
}

func TestRecorder_SlowDiskCostsFramesAndNothingElse(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, func(o *Options, _ *shelf) { o.QueueBytes = 100_000 })
		h.show(10 * time.Second)
		block := make(chan struct{})
		s.shelf.set(func() { s.shelf.block = block })
		for range 30 {
			h.show(time.Second)
			if st := s.Status()[0]; st.QueueBytes > 100_000 {
				t.Fatalf("%d bytes wait", st.QueueBytes)
			}
		}
		if st := s.Status()[0]; st.Recording || !strings.Contains(st.Reason, "does not keep up") {
			t.Errorf("status %+v", st)
		}
		s.shelf.set(func() { s.shelf.block = nil })
		close(block)
		h.show(10 * time.Second)
		s.end()
		wantCauses(t, s.shelf.gaps(t, front()), recordings.DiskSlow)
		st := s.Status()[0]
		if got := len(s.shelf.frames(t, front())); uint64(1250-got) != st.FramesLost || got < 550 || got > 650 {
			t.Errorf("%d frames were recorded, %d lost", got, st.FramesLost)
		}
	})
}

// One camera's disk hangs, the other cameras do not notice.
func TestRecorder_HangingDiskHoldsUpNobodyElse(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		block := make(chan struct{})
		s := record(t, h, Policy{}, func(o *Options, s *shelf) {
			o.Store = &hanging{Catalogue: s, camera: "front", block: block}
			o.Inputs = append(o.Inputs, Input{Camera: "back", Feeds: map[string]Feed{recordings.Main: h}})
		})
		h.show(10 * time.Second)
		if st := s.Status()[1]; st.Frames < 200 || st.FramesLost > 0 || !st.Recording {
			t.Errorf("the other camera: %+v", st)
		}
		s.shelf.set(func() {
			if s.shelf.syncs < 9 {
				t.Errorf("%d syncs", s.shelf.syncs)
			}
		})
		close(block)
		s.end()
	})
}

// hanging is a store on which segments of one camera wait.
type hanging struct {
	Catalogue
	camera string
	block  chan struct{}
}

func (h *hanging) Create(ctx context.Context, seg recordings.Segment, init []byte) (recordings.Writer, error) {
	if seg.Camera == h.camera {
		<-h.block
	}
	return h.Catalogue.Create(ctx, seg, init)
}

func TestRecorder_EndsThoughTheDiskHangs(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		block := make(chan struct{})
		r, err := New(Options{
			Store:  &hanging{Catalogue: &shelf{}, camera: "front", block: block},
			Inputs: []Input{{Camera: "front", Feeds: map[string]Feed{recordings.Main: h}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		h.show(10 * time.Second)
		cancel()
		if err := <-done; err == nil || !strings.Contains(err.Error(), "the disk does not answer") {
			t.Errorf("error %v", err)
		}
		close(block)
	})
}

func TestRecorder_CodecChangesInMidStream(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t).withMusic()
		s := record(t, h, Policy{Audio: true}, nil)
		h.show(5 * time.Second)
		other := newFilm(t, time.Now())
		other.sps = slices.Clone(other.sps)
		other.sps[3]--
		h.set(func() { h.film.sps, h.tracks[0] = other.sps, other.track() })
		h.show(5 * time.Second)
		h.set(func() { h.tracks = h.tracks[:1] }) // the sound is switched off
		h.music = nil
		h.show(5 * time.Second)
		h.film.toH265(t)
		h.set(func() { h.tracks = []codecs.Track{h.film.track()} }) // frames before that are still in the hub
		h.show(5 * time.Second)
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 500})
		wantCauses(t, s.shelf.gaps(t, front()))
		var formats []string
		for _, b := range s.shelf.books(front()) {
			formats = append(formats, b.Format.Video+" "+b.Format.Audio)
		}
		if len(formats) != 4 || formats[0] == formats[1] || formats[2] != strings.TrimSuffix(formats[1], "ulaw") ||
			!strings.HasPrefix(formats[3], "hvc1.") {
			t.Errorf("formats %q", formats)
		}
	})
}

func TestRecorder_CameraIsTakenAway(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, nil)
		h.show(5 * time.Second)
		<-time.After(time.Second)
		h.set(func() { h.closed = true })
		<-time.After(2 * time.Second)
		if st := s.Status()[0]; st.Recording || st.Reason != "the camera is switched off" {
			t.Errorf("status %+v", st)
		}
		s.end()
		wantFrames(t, s, h.film, [2]int64{0, 125})
	})
}

func TestRecorder_SaysThatNoPicturesCome(t *testing.T) {
	virtual(t, func(t *testing.T) {
		h := newTheatre(t)
		s := record(t, h, Policy{}, nil)
		<-time.After(time.Second)
		if st := s.Status()[0]; st.Reason != "waiting for a key frame of the camera" {
			t.Errorf("status %+v", st)
		}
		h.show(5 * time.Second)
		<-time.After(10 * time.Second)
		if st := s.Status()[0]; st.Recording || st.Reason != "the camera sends no pictures" {
			t.Errorf("status %+v", st)
		}
		s.end()
	})
}

func TestNew_RefusesNonsense(t *testing.T) {
	for _, o := range []Options{
		{},
		{Store: &shelf{}, Inputs: []Input{{}}},
		{Store: &shelf{}, Inputs: []Input{{Camera: "a"}, {Camera: "a"}}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
