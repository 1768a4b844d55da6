package recorder

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

// real is the store of the program.
type real struct{ *disk.Store }

func (r real) Past(ctx context.Context, s recordings.Stream) (Past, error) {
	end, generation, _, err := r.Store.Past(ctx, s)
	return Past{End: end, Generation: generation}, err
}

// BenchmarkRecorder records 16 cameras of 2 Mbit/s with sound to a real disk, one look
// after the other without the time between them, and says what a second of one camera
// costs in the whole process. What receives the video is not in it.
func BenchmarkRecorder(b *testing.B) {
	const cameras = 16
	dir := b.TempDir()
	ix, err := index.Open(b.Context(), filepath.Join(dir, "index.db"), index.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = ix.Close() }()
	store, err := disk.Open(b.Context(), disk.Options{Dirs: []string{filepath.Join(dir, "media")}, Index: ix})
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Store: real{store}}
	now := time.Now()
	films := make([]*theatre, cameras)
	for i := range cameras {
		f := newFilm(b, now)
		f.size, f.gop = 9600, 50
		films[i] = &theatre{film: f, music: &music{at: f.at}, tracks: []codecs.Track{f.track(), *(&music{}).track()}}
		o.Inputs = append(o.Inputs, Input{
			Camera: fmt.Sprint("camera", i), Policy: Policy{Audio: true}, Feeds: map[string]Feed{recordings.Main: films[i]},
		})
	}
	r, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range r.streams {
		s.open(0)
		go s.write(b.Context(), NewTape(r.tapeOptions(b.Context(), s, &buffers{})), &r.progress)
	}
	before, recorded := cpu(b), time.Duration(0)
	for b.Loop() {
		for turn := range r.pace.turns {
			recorded += r.pace.tick
			for _, h := range films {
				for h.film.n*h.film.interval < recorded.Microseconds() {
					u := h.film.next()
					u.Arrived = recordings.Time(u.At).Std()
					h.put(u)
					for _, u := range h.music.frames(2) {
						u.Arrived = recordings.Time(u.At).Std()
						h.sound = append(h.sound, rtppack.NewFrame(codecs.PCMU, u))
					}
				}
			}
			for _, s := range r.streams {
				s.look(now.Add(recorded), turn == r.pace.turns-1)
			}
		}
		for r.busy() {
			<-r.progress.dirty
		}
		if err := store.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
		for _, h := range films { // what all have seen is forgotten
			h.set(func() { h.video, h.sound = h.video[:0], h.sound[:0] })
		}
		for _, s := range r.streams {
			s.video, s.sound = s.feed.SubscribeVideo(), s.feed.SubscribeAudio()
		}
	}
	used := cpu(b) - before
	b.ReportMetric(float64(used.Microseconds())/1000/(recorded.Seconds()*cameras), "ms-CPU/camera-s")
	var bytes, frames uint64
	for _, s := range r.streams {
		s.close()
		st := s.snapshot()
		bytes, frames = bytes+st.Bytes, frames+st.Frames
	}
	b.ReportMetric(float64(bytes)/float64(frames*9600), "bytes/byte")
	for r.busy() {
		<-r.progress.dirty
	}
	if err := store.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// cpu returns the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
