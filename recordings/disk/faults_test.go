package disk_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/faultfs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

func front() recordings.Stream { return recordings.Stream{Camera: "front", Rendition: recordings.Main} }

// onFaults opens a store over a file system that can be made to fail.
func onFaults(t *testing.T, dirs ...string) (*disk.Store, disk.Options, *faultfs.FS, *bytes.Buffer) {
	t.Helper()
	fsys := machine(0)
	if dirs == nil {
		dirs = []string{dayDir}
	}
	var log bytes.Buffer
	s, o := openStore(t, disk.Options{Dirs: dirs, FS: fsys, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	return s, o, fsys, &log
}

func TestStore_FullDiskEndsTheSegmentAndKeepsWhatWasWritten(t *testing.T) {
	s, o, fsys, _ := onFaults(t)
	reels := film(t, front(), 3, 2)
	w, err := s.Create(t.Context(), reels[0].seg, reels[0].init)
	if err != nil {
		t.Fatal(err)
	}
	first := reels[0].pieces[0]
	if err := w.Append(first.frag, first.data); err != nil {
		t.Fatal(err)
	}
	fsys.SetFaults(faultfs.Faults{Room: fsys.Used() + int64(len(first.data))/2}) // for a torn one
	if err := w.Append(reels[0].pieces[1].frag, reels[0].pieces[1].data); !errors.Is(err, disk.ErrFull) {
		free, _, _ := fsys.Space(dayDir)
		t.Fatalf("with %d bytes free: %v", free, err)
	}
	if _, err := s.Create(t.Context(), reels[1].seg, reels[1].init); !errors.Is(err, disk.ErrFull) {
		t.Fatalf("the next segment: %v", err)
	}
	if err := s.Sync(t.Context()); !errors.Is(err, disk.ErrFull) {
		t.Fatalf("sync: %v", err)
	}
	if s.Durable(front()) != first.frag.End() {
		t.Errorf("durable until %v, want %v", s.Durable(front()), first.frag.End())
	}
	fsys.SetFaults(faultfs.Faults{})
	write(t, s, reels[1])
	closeStore(t, s)
	if got := findings(t, o); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestStore_FailedSyncEndsTheFileAtWhatWasPromisedAndIsSaidLoudly(t *testing.T) {
	s, o, fsys, log := onFaults(t, "/disk/one", "/disk/two")
	reels := film(t, front(), 3, 2)
	w, err := s.Create(t.Context(), reels[0].seg, reels[0].init)
	if err != nil {
		t.Fatal(err)
	}
	pieces := reels[0].pieces
	if err := errors.Join(w.Append(pieces[0].frag, pieces[0].data), s.Sync(t.Context()), w.Append(pieces[1].frag, pieces[1].data)); err != nil {
		t.Fatal(err)
	}
	syncs, bad := 0, ""
	fsys.SetFaults(faultfs.Faults{Sync: func(name string) error {
		if strings.HasSuffix(name, ".mp4") {
			syncs, bad = syncs+1, filepath.Dir(name)
			return syscall.EIO
		}
		return nil
	}})
	if err := s.Sync(t.Context()); !errors.Is(err, syscall.EIO) || !errors.Is(err, disk.ErrFailed) {
		t.Fatalf("sync: %v", err)
	}
	fsys.SetFaults(faultfs.Faults{})
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if syncs != 1 {
		t.Errorf("the sync was tried %d times; a failed one cannot be mended by another", syncs)
	}
	if err := w.Append(pieces[2].frag, pieces[2].data); !errors.Is(err, disk.ErrFailed) {
		t.Errorf("append after the failed sync: %v", err)
	}
	seg, err := s.Segment(t.Context(), reels[0].seg.Ref, true)
	if err != nil || len(seg.Fragments) != 1 || seg.End != pieces[0].frag.End() {
		t.Errorf("the segment is %d fragments until %v (%v)", len(seg.Fragments), seg.End, err)
	}
	if !strings.Contains(log.String(), "a recording ends early because the disk failed") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	write(t, s, reels[1])
	other, err := s.Segment(t.Context(), reels[1].seg.Ref, false)
	if err != nil || strings.HasPrefix(bad, "/disk/one") == (other.Dir == seg.Dir) && other.Dir == seg.Dir {
		t.Errorf("the next segment lies in %s, as the one that failed (%v)", other.Dir, err)
	}
	closeStore(t, s)
	if got := findings(t, o); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestStore_FailedWriteEndsTheFileAtWhatWasPromised(t *testing.T) {
	s, o, fsys, _ := onFaults(t)
	r := film(t, front(), 3, 1)[0]
	w, err := s.Create(t.Context(), r.seg, r.init)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Append(r.pieces[0].frag, r.pieces[0].data), s.Sync(t.Context())); err != nil {
		t.Fatal(err)
	}
	fsys.SetFaults(faultfs.Faults{Write: func(string) error { return syscall.EIO }})
	if err := w.Append(r.pieces[1].frag, r.pieces[1].data); !errors.Is(err, disk.ErrFailed) {
		t.Fatalf("append: %v", err)
	}
	fsys.SetFaults(faultfs.Faults{})
	_ = s.Sync(t.Context())
	closeStore(t, s)
	if got := findings(t, o); len(got) > 0 {
		t.Errorf("%v", got)
	}
	if got := content(t, s, r.seg.Ref); !bytes.Equal(got, append(bytes.Clone(r.init), r.pieces[0].data...)) {
		t.Errorf("the file has %d bytes", len(got))
	}
}

func TestStore_ReadOnlyDiskIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, fsys, log := onFaults(t)
		r := film(t, front(), 2, 1)[0]
		fsys.SetFaults(faultfs.Faults{ReadOnly: true})
		if _, err := s.Create(t.Context(), r.seg, r.init); !errors.Is(err, disk.ErrFailed) {
			t.Fatalf("create: %v", err)
		}
		if _, err := s.Create(t.Context(), r.seg, r.init); !errors.Is(err, disk.ErrNoDisk) {
			t.Fatalf("create again: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Run(t.Context()) }()
		fsys.SetFaults(faultfs.Faults{})
		<-time.After(15 * time.Second)
		synctest.Wait()
		if !strings.Contains(log.String(), "can be used again") {
			t.Errorf("log:\n%s", log)
		}
		write(t, s, r)
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
	})
}

func TestStore_FolderRemovedUnderneathIsNoticedAndNothingIsPromised(t *testing.T) {
	s, o, fsys, _ := onFaults(t)
	reels := film(t, front(), 3, 2)
	w, err := s.Create(t.Context(), reels[0].seg, reels[0].init)
	if err != nil {
		t.Fatal(err)
	}
	p := reels[0].pieces
	if err := errors.Join(w.Append(p[0].frag, p[0].data), s.Sync(t.Context()), w.Append(p[1].frag, p[1].data)); err != nil {
		t.Fatal(err)
	}
	fsys.RemoveAll(dayDir)
	if err := s.Sync(t.Context()); !errors.Is(err, disk.ErrFailed) {
		t.Fatalf("sync: %v", err)
	}
	if s.Durable(front()) != p[0].frag.End() {
		t.Errorf("promised until %v after the folder was gone", s.Durable(front()))
	}
	if _, err := s.Create(t.Context(), reels[1].seg, reels[1].init); !errors.Is(err, disk.ErrNoDisk) {
		t.Errorf("create: %v", err)
	}
	closeStore(t, s)
	// The folder is bound to the index: an empty one in its place is not filled.
	s, err = disk.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), reels[1].seg, reels[1].init); !errors.Is(err, disk.ErrNoDisk) || !strings.Contains(err.Error(), "Mount the disk") {
		t.Errorf("create: %v", err)
	}
	if _, err := fsys.Stat(dayDir); err == nil {
		t.Error("the folder was made again in the place of the disk")
	}
	closeStore(t, s)
}

func TestStore_RefusesAnotherRecordersDisk(t *testing.T) {
	s, o, _, _ := onFaults(t)
	write(t, s, film(t, front(), 1, 1)[0])
	closeStore(t, s)
	o.Index = openIndex(t, filepath.Join(t.TempDir(), "another.db"))
	s, err := disk.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	disks, err := s.Disks(t.Context())
	if err != nil || len(disks) != 1 || disks[0].Usable || !strings.Contains(disks[0].Reason, "another index") {
		t.Errorf("%+v, %v", disks, err)
	}
}

func TestStore_DeletesInTheBackgroundOfWriting(t *testing.T) {
	s, o := openStore(t, disk.Options{})
	reels := film(t, front(), 2, 3)
	for _, r := range reels {
		if err := write(t, s, r).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := s.Open(t.Context(), reels[0].seg.Ref)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := s.Delete(t.Context(), reels[0].seg.Ref, reels[1].seg.Ref); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Segment(t.Context(), reels[0].seg.Ref, false); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("the deleted segment: %v", err)
	}
	if n, err := m.ReadAt(make([]byte, m.Size()), 0); err != nil {
		t.Errorf("who reads it already got %d of %d bytes: %v", n, m.Size(), err)
	}
	closeStore(t, s)
	if got := findings(t, o); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestStore_ADiskThatHangsDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, fsys, _ := onFaults(t, "/disk/one", "/disk/two")
		stuck := make(chan struct{})
		yard := recordings.Stream{Camera: "yard", Rendition: recordings.Main}
		writers := map[string]recordings.Stream{}
		for _, stream := range []recordings.Stream{front(), yard} {
			r := film(t, stream, 2, 1)[0]
			write(t, s, r)
			seg, err := s.Segment(t.Context(), r.seg.Ref, false)
			if err != nil {
				t.Fatal(err)
			}
			writers[seg.Dir] = stream
		}
		if len(writers) != 2 {
			t.Fatal("both lie on one disk")
		}
		disks, err := s.Disks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fsys.SetHang(func(name string) {
			if strings.HasPrefix(name, "/disk/one") && strings.HasSuffix(name, ".mp4") {
				<-stuck
			}
		})
		if err := s.Sync(t.Context()); err == nil {
			t.Error("the sync says nothing of the disk that hangs")
		}
		for _, d := range disks {
			if until := s.Durable(writers[d.ID]); (until > 0) != (d.Path == "/disk/two") {
				t.Errorf("%s: durable until %v", d.Path, until)
			}
		}
		close(stuck)
		closeStore(t, s)
		if got := findings(t, o); len(got) > 0 {
			t.Errorf("%v", got)
		}
	})
}
