package remote

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/index"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// onDisk is a disk.Store as a recorder knows it.
type onDisk struct{ *disk.Store }

func (s onDisk) Past(ctx context.Context, name recordings.Stream) (recorder.Past, error) {
	end, generation, _, err := s.Store.Past(ctx, name)
	return recorder.Past{End: end, Generation: generation}, err
}

// The same with files on a disk: after losses, an outage and a restart of the
// recorder every picture is in them, once, bit for bit, and nothing overlaps.
func TestRemote_FilesHaveEveryPicture(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		x, err := index.Open(ctx, filepath.Join(dir, "index.db"), index.Options{})
		if err != nil {
			t.Fatal(err)
		}
		store, err := disk.Open(ctx, disk.Options{Dirs: []string{filepath.Join(dir, "recordings")}, Index: x, SyncEvery: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		stored := make(chan error, 1)
		go func() { stored <- store.Run(ctx) }()

		a := newAgent(t, "front")
		c := a.cameras["front"]
		if c.encoder, err = testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: fps, GOP: time.Second}); err != nil {
			t.Fatal(err)
		}
		a.lose = func(n int) bool { return n%53 == 7 }
		use := func(o *Options) {
			o.Store, o.NewTape, o.CatchUpBytes, o.ChunkDuration = onDisk{store}, nil, 1, 5*time.Second
		}
		_, stop := record(t, a, nil, use)
		a.film(15*time.Second + 300*time.Millisecond)
		a.outage()
		a.film(15 * time.Second)
		a.mend()
		a.film(15 * time.Second)
		stop()
		a.film(15 * time.Second)
		_, stop = record(t, a, nil, use)
		a.film(30 * time.Second)
		stop()
		cancel()
		if err := <-stored; err != nil {
			t.Error(err)
		}
		checkFiles(t, store, x, c.made)
		if err := errors.Join(store.Close(context.Background()), x.Close()); err != nil {
			t.Error(err)
		}
	})
}

// checkFiles reads all that is recorded.
func checkFiles(t *testing.T, store *disk.Store, x *index.Index, made []*codecs.Unit) {
	t.Helper()
	ctx := context.Background()
	everything := recordings.Range{To: recordings.Time(1) << 60}
	segments, err := x.Segments(ctx, mainOf("front"), everything, index.SegmentsOptions{Fragments: true})
	if err != nil {
		t.Fatal(err)
	}
	var pieces []piece
	for i, seg := range segments {
		if i > 0 && segments[i-1].End > seg.Start {
			t.Errorf("segments overlap: one ends at %v, the next begins at %v", segments[i-1].End, seg.Start)
		}
		media, err := store.Open(ctx, seg.Ref)
		if err != nil {
			t.Fatal(err)
		}
		f, err := fmp4.Open(media, media.Size())
		if err != nil {
			t.Fatal(err)
		}
		for _, fr := range seg.Fragments {
			data := make([]byte, fr.Bytes)
			if _, err := media.ReadAt(data, fr.Offset); err != nil {
				t.Fatal(err)
			}
			units, _, err := f.Units(data)
			if err != nil {
				t.Fatal(err)
			}
			pieces = append(pieces, piece{fr.Start, fr.End(), units, nil})
		}
		if err := media.Close(); err != nil {
			t.Error(err)
		}
	}
	lacking, twice, _ := compare(made[:len(made)-60], pieces)
	_, _, otherwise := compare(made, pieces)
	holes := 0
	for i := 1; i < len(pieces); i++ {
		if pieces[i-1].end != pieces[i].start {
			holes++
		}
	}
	t.Logf("%d segments, %d fragments", len(segments), len(pieces))
	if lacking > 0 || twice > 0 || otherwise > 0 || holes > 0 {
		t.Errorf("%d of %d pictures are missing, %d there twice, %d otherwise; %d holes", lacking, len(made), twice, otherwise, holes)
	}
	gaps, err := x.Timeline(ctx, mainOf("front"), everything, time.Millisecond)
	if err != nil || len(gaps.Ranges) != 1 {
		t.Errorf("timeline %+v: %v", gaps, err)
	}
}
