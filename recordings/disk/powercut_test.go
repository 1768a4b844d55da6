package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/faultfs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

// TestStore_PowerCutAtEveryOperationLosesNothingPromised stops the machine at every
// operation that changes the disk, lets it forget what was not synced in several
// ways, and starts again. SIGHTLINE_POWERCUT=full tries all, and prints what it did.
func TestStore_PowerCutAtEveryOperationLosesNothingPromised(t *testing.T) {
	full := os.Getenv("SIGHTLINE_POWERCUT") == "full"
	stride, seeds := 9, 2
	if full {
		stride, seeds = 1, 6
	}
	day := newOrdinaryDay(t)
	total := day.live(t, machine(0), 0).fs.Ops()
	var cuts []int
	for at := machine(0).Ops() + 1; at <= total; at += stride {
		cuts = append(cuts, at)
	}
	var mu sync.Mutex
	rounds, promised := 0, 0
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for at := range work {
				for seed := range uint64(seeds) {
					cut := day.live(t, machine(at), seed)
					n := day.comeBack(t, cut, fmt.Sprintf("cut at operation %d of %d, seed %d", at, total, seed))
					mu.Lock()
					rounds, promised = rounds+1, promised+n
					mu.Unlock()
				}
			}
		})
	}
	for _, at := range cuts {
		work <- at
	}
	close(work)
	wg.Wait()
	if promised == 0 {
		t.Fatal("nothing was ever promised: the test proves nothing")
	}
	if full {
		fmt.Fprintf(os.Stdout, "power cut at every one of %d operations: %d rounds, %d promised fragments, all there\n", total, rounds, promised)
	}
}

// machine is one with an empty disk, that stops at an operation; 0 is never.
func machine(stopAt int) *faultfs.FS {
	fsys := faultfs.New(faultfs.Faults{})
	_ = fsys.Mkdir("/disk", 0o750)
	_ = fsys.SyncDir("/")
	fsys.SetFaults(faultfs.Faults{StopAt: stopAt})
	return fsys
}

// TestPowerCut_IsNoticedWhereTheStoreDoesNotSync proves that the test above can
// fail: over a file system that takes syncs and does nothing, promises are broken.
func TestPowerCut_IsNoticedWhereTheStoreDoesNotSync(t *testing.T) {
	day := newOrdinaryDay(t)
	total := day.live(t, machine(0), 0).fs.Ops()
	for seed := range uint64(20) {
		lying := &lyingFS{FS: machine(total * 3 / 4)}
		cut := day.liveOn(t, lying, lying.FS, seed)
		if len(day.missing(t, cut)) > 0 {
			return
		}
	}
	t.Fatal("nothing was missing after any of 20 power cuts without syncing")
}

// lyingFS says that it has synced.
type lyingFS struct{ *faultfs.FS }

// OpenFile implements disk.FS.
func (l *lyingFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := l.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return lyingFile{f}, nil
}

type lyingFile struct{ disk.File }

// Sync implements disk.File.
func (lyingFile) Sync() error { return nil }

// ordinaryDay is what a recorder does: two cameras, new segments, an event, a lock,
// old recordings deleted, a restart.
type ordinaryDay struct {
	front, yard []reel
}

func newOrdinaryDay(tb testing.TB) *ordinaryDay {
	return &ordinaryDay{
		front: film(tb, recordings.Stream{Camera: "front", Rendition: recordings.Main}, 3, 4),
		yard:  film(tb, recordings.Stream{Camera: "yard", Rendition: recordings.Sub}, 3, 2),
	}
}

// aftermath is how a day ended.
type aftermath struct {
	fs       *faultfs.FS
	promises promises
	deleted  map[recordings.Ref]bool // at least asked for
	events   []recordings.Event      // that were promised
	index    string                  // a copy of the index as the power cut left it
	seed     uint64
}

const dayDir = "/disk/recordings"

// live lives the day on a file system until its end or the power cut.
func (d *ordinaryDay) live(tb testing.TB, fsys *faultfs.FS, seed uint64) *aftermath {
	return d.liveOn(tb, fsys, fsys, seed)
}

func (d *ordinaryDay) liveOn(tb testing.TB, on disk.FS, below *faultfs.FS, seed uint64) *aftermath {
	a := &aftermath{fs: below, deleted: make(map[recordings.Ref]bool), seed: seed}
	path := filepath.Join(tb.TempDir(), "index.db")
	ix, err := index.Open(context.Background(), path, index.Options{})
	if err != nil {
		tb.Error(err)
		return a
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	d.work(a, disk.Options{Dirs: []string{dayDir}, Index: ix, FS: on, OnDurable: a.promises.note}, func(int) {
		// A power cut may take from the index what was committed since its last
		// sync: sometimes the copy is of earlier, never of before a deletion.
		if a.index == "" || rng.IntN(2) == 0 {
			a.index = copyIndex(tb, path)
		}
	})
	if rng.IntN(2) == 0 {
		a.index = copyIndex(tb, path)
	}
	if err := ix.Close(); err != nil {
		tb.Error(err)
	}
	return a
}

// work is what happens, until something fails for good. snapshot is called where
// the index may lose what came before.
func (d *ordinaryDay) work(a *aftermath, o disk.Options, snapshot func(step int)) {
	ctx := context.Background()
	for life := range 2 {
		s, err := disk.Open(ctx, o)
		if err != nil {
			return
		}
		a.index = "" // that it is not closed in good order is durable
		snapshot(-1)
		if err := errors.Join(d.record(ctx, a, s, life, snapshot), s.Close(ctx)); err != nil {
			return
		}
		a.index = "" // closing in good order is durable
		snapshot(-2)
	}
}

// record records the day's first or second half.
func (d *ordinaryDay) record(ctx context.Context, a *aftermath, s *disk.Store, life int, snapshot func(int)) error {
	front, yard := d.front[2*life:2*life+2], d.yard[life:life+1]
	for i := range front {
		w, err := s.Create(ctx, front[i].seg, front[i].init)
		if err != nil {
			return err
		}
		var other recordings.Writer
		if i == 0 {
			if other, err = s.Create(ctx, yard[0].seg, yard[0].init); err != nil {
				return err
			}
		}
		for j, p := range front[i].pieces {
			err := w.Append(p.frag, p.data)
			if other != nil {
				err = errors.Join(err, other.Append(yard[0].pieces[j].frag, yard[0].pieces[j].data))
			}
			if err != nil {
				return err
			}
			if j != 1 { // two fragments in one sync, too
				if err := s.Sync(ctx); err != nil {
					return err
				}
				snapshot(j)
			}
		}
		_ = w.Close()
		if other != nil {
			_ = other.Close()
		}
		if i == 0 {
			e, err := s.AddEvent(ctx, recordings.Event{Camera: "front", Type: "door", Range: recordings.Range{From: front[i].seg.Start, To: front[i].seg.Start + 1}})
			if err != nil {
				return err
			}
			a.events = append(a.events, e)
		}
	}
	if err := s.Sync(ctx); err != nil {
		return err
	}
	snapshot(9)
	if life == 1 {
		a.deleted[d.front[0].seg.Ref] = true
		err := s.Delete(ctx, d.front[0].seg.Ref)
		a.index = "" // a deletion is durable in the index before it begins
		snapshot(10)
		return err
	}
	return nil
}

// copyIndex copies an index with its log.
func copyIndex(tb testing.TB, path string) string {
	to := filepath.Join(tb.TempDir(), "index.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+suffix, data, 0o600)
		}
		if err != nil {
			tb.Error(err)
		}
	}
	return to
}

// comeBack starts again after the cut and checks that everything promised is there,
// that all invariants hold, and that an index made anew is the same. It returns the
// number of promised fragments.
func (d *ordinaryDay) comeBack(tb testing.TB, a *aftermath, what string) int {
	ctx := context.Background()
	after := a.fs.Crash(a.seed)
	ix, err := index.Open(ctx, a.index, index.Options{})
	if err != nil {
		tb.Errorf("%s: open the index: %v", what, err)
		return 0
	}
	defer ix.Close()
	o := disk.Options{Dirs: []string{dayDir}, Index: ix, FS: after}
	s, err := disk.Open(ctx, o)
	if err != nil {
		tb.Errorf("%s: open the store: %v", what, err)
		return 0
	}
	n, missing := d.look(ctx, a, s)
	for _, m := range missing {
		tb.Errorf("%s: %s", what, m)
	}
	for _, e := range a.events {
		if got, err := s.Events(ctx, e.Camera, e.Range, 0); err != nil || len(got) == 0 {
			tb.Errorf("%s: the event at %v is lost (%v)", what, e.From, err)
		}
	}
	if err := s.Close(ctx); err != nil {
		tb.Errorf("%s: close: %v", what, err)
	}
	err = disk.Check(ctx, disk.CheckOptions{Dirs: o.Dirs, Index: ix, FS: after}, func(f disk.Finding) {
		tb.Errorf("%s: %s %s: %s", what, f.Invariant, f.File, f.Text)
	})
	if err != nil {
		tb.Errorf("%s: check: %v", what, err)
	}
	d.compareRebuilt(ctx, tb, ix, after, what)
	return n
}

// compareRebuilt makes the index anew and compares.
func (d *ordinaryDay) compareRebuilt(ctx context.Context, tb testing.TB, ix *index.Index, after *faultfs.FS, what string) {
	fresh := filepath.Join(tb.TempDir(), "rebuilt.db")
	if _, err := disk.Rebuild(ctx, disk.RebuildOptions{Dirs: []string{dayDir}, IndexPath: fresh, FS: after}); err != nil {
		if !errors.Is(err, fs.ErrNotExist) { // the cut came before there was a directory
			tb.Errorf("%s: rebuild: %v", what, err)
		}
		return
	}
	again, err := index.Open(ctx, fresh, index.Options{})
	if err != nil {
		tb.Errorf("%s: open the rebuilt index: %v", what, err)
		return
	}
	defer again.Close()
	var was, is bytes.Buffer
	if err := errors.Join(ix.Dump(ctx, &was), again.Dump(ctx, &is)); err != nil {
		tb.Errorf("%s: dump: %v", what, err)
	}
	if was.String() != is.String() {
		tb.Errorf("%s: the rebuilt index differs:\n%s\n---\n%s", what, was.String(), is.String())
	}
}

// missing starts again after the cut and returns what was promised and is not there.
func (d *ordinaryDay) missing(tb testing.TB, a *aftermath) []string {
	ctx := context.Background()
	after := a.fs.Crash(a.seed)
	path := filepath.Join(tb.TempDir(), "index.db")
	if _, err := disk.Rebuild(ctx, disk.RebuildOptions{Dirs: []string{dayDir}, IndexPath: path, FS: after}); err != nil {
		return []string{err.Error()}
	}
	ix := openIndex(tb, path)
	s, err := disk.Open(ctx, disk.Options{Dirs: []string{dayDir}, Index: ix, FS: after})
	if err != nil {
		return []string{err.Error()}
	}
	_, missing := d.look(ctx, a, s)
	return append(missing, errText(s.Close(ctx))...)
}

func errText(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// look compares every promised fragment with what is there, byte for byte.
func (d *ordinaryDay) look(ctx context.Context, a *aftermath, s *disk.Store) (promised int, missing []string) {
	for _, r := range append(append([]reel(nil), d.front...), d.yard...) {
		until := a.promises.of(r.seg.Stream)
		if a.deleted[r.seg.Ref] || r.pieces[0].frag.End() > until {
			continue
		}
		seg, err := s.Segment(ctx, r.seg.Ref, true)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s at %v was promised and is lost: %v", r.seg.Stream, r.seg.Start, err))
			continue
		}
		m, err := s.Open(ctx, r.seg.Ref)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s at %v cannot be opened: %v", r.seg.Stream, r.seg.Start, err))
			continue
		}
		at := int64(len(r.init))
		for i, p := range r.pieces {
			if p.frag.End() > until {
				break
			}
			promised++
			got := make([]byte, len(p.data))
			_, err := m.ReadAt(got, at)
			if i >= len(seg.Fragments) || err != nil || !bytes.Equal(got, p.data) {
				missing = append(missing, fmt.Sprintf("%s: the fragment at %v was promised until %v and is not there: %v", r.seg.Stream, p.frag.Start, until, err))
				break
			}
			at += int64(len(p.data))
		}
		_ = m.Close()
	}
	return promised, missing
}
