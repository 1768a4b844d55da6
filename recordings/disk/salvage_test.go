package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/faultfs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

// rebuilt makes a new index of the directories of o.
func rebuilt(t *testing.T, o disk.Options) (disk.Rebuilt, disk.Options) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.db")
	r, err := disk.Rebuild(t.Context(), disk.RebuildOptions{Dirs: o.Dirs, IndexPath: path, FS: o.FS})
	if err != nil {
		t.Fatal(err)
	}
	o.Index = openIndex(t, path)
	return r, o
}

// sizes returns the sizes of all recordings.
func sizes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	out := make(map[string]int64)
	err := filepath.WalkDir(filepath.Join(dir, "media"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			info, statErr := e.Info()
			out[path], err = info.Size(), statErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRebuild_ChangesNoRecording(t *testing.T) {
	reels := film(t, front(), 8, 2)
	for name, harm := range map[string]func(t *testing.T, dir string, files []string){
		"renamed camera": func(t *testing.T, dir string, _ []string) {
			if err := os.Rename(filepath.Join(dir, "media", "front"), filepath.Join(dir, "media", "door")); err != nil {
				t.Fatal(err)
			}
		},
		"a bit of the header": func(t *testing.T, _ string, files []string) {
			alter(t, files[0], func(b []byte) []byte { b[60] ^= 1; return b })
		},
		"a bit early in the file": func(t *testing.T, _ string, files []string) {
			alter(t, files[0], func(b []byte) []byte { b[len(b)/4] ^= 1; return b })
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, files := recorded(t, reels)
			harm(t, o.Dirs[0], files)
			was := sizes(t, o.Dirs[0])
			r, again := rebuilt(t, o)
			if is := sizes(t, o.Dirs[0]); len(is) != len(was) || !mapsEqual(was, is) {
				t.Errorf("files were %v, are %v", was, is)
			}
			if len(r.Unreadable) == 0 && name != "a bit early in the file" { // it reads no pictures
				t.Error("nothing is said of it")
			}
			s, err := disk.Open(t.Context(), again)
			if err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			if is := sizes(t, o.Dirs[0]); !mapsEqual(was, is) {
				t.Errorf("after a start files were %v, are %v", was, is)
			}
			if len(findings(t, again)) == 0 {
				t.Error("the check says that all is well")
			}
		})
	}
}

func mapsEqual(a, b map[string]int64) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

func TestRebuild_RefusesAnEmptyFolderInThePlaceOfADisk(t *testing.T) {
	o, _ := recorded(t, film(t, front(), 2, 2))
	path := filepath.Join(t.TempDir(), "index.db")
	if _, err := disk.Rebuild(t.Context(), disk.RebuildOptions{Dirs: o.Dirs, IndexPath: path}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(o.Dirs[0]), os.Mkdir(o.Dirs[0], 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, index := range []string{path, filepath.Join(t.TempDir(), "none.db")} {
		_, err := disk.Rebuild(t.Context(), disk.RebuildOptions{Dirs: o.Dirs, IndexPath: index})
		if err == nil || !strings.Contains(err.Error(), "mount") {
			t.Errorf("%v", err)
		}
	}
	if entries, err := os.ReadDir(o.Dirs[0]); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// crashed leaves a store without closing it, as a crash does.
func crashed(t *testing.T, o disk.Options) *disk.Store {
	t.Helper()
	s, err := disk.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore_LocksOutliveAJournalThatCannotBeRead(t *testing.T) {
	o, _ := recorded(t, film(t, front(), 2, 2))
	crashed(t, o)
	journals, err := filepath.Glob(filepath.Join(o.Dirs[0], "journal", "*"))
	if err != nil || len(journals) != 1 {
		t.Fatal(journals, err)
	}
	alter(t, journals[0], func(b []byte) []byte { b[len(b)-20] ^= 1; return b }) // the lock's line
	s, _ := openStore(t, o)
	defer closeStore(t, s)
	locks, err := s.Locks(t.Context(), "front", recordings.Range{From: 0, To: 1 << 60})
	if err != nil || len(locks) != 1 {
		t.Errorf("locks %v, %v", locks, err)
	}
}

func TestStore_JournalsOfSeveralDisksKeepTheirOrder(t *testing.T) {
	s, o, fsys, _ := onFaults(t, "/disk/one", "/disk/two")
	fsys.SetFaults(faultfs.Faults{Write: func(name string) error {
		if strings.HasPrefix(name, "/disk/one") {
			return syscall.EIO
		}
		return nil
	}})
	if err := s.Pause(t.Context(), recordings.Pause{Camera: "front"}); err != nil {
		t.Fatal(err)
	}
	fsys.SetFaults(faultfs.Faults{})
	closeStore(t, s)
	s = crashed(t, o)
	if err := s.Resume(t.Context(), "front"); err != nil {
		t.Fatal(err)
	}
	s, _ = openStore(t, o)
	defer closeStore(t, s)
	if p, paused := s.Paused("front"); paused {
		t.Errorf("paused again: %+v", p)
	}
}

func TestStore_AFullDiskIsUsedAsSoonAsThereIsRoom(t *testing.T) {
	s, o, fsys, _ := onFaults(t)
	reels := film(t, front(), 2, 2)
	write(t, s, reels[0])
	closeStore(t, s)
	fsys.SetFaults(faultfs.Faults{Room: fsys.Used()})
	s, _ = openStore(t, o)
	if _, err := s.Create(t.Context(), reels[1].seg, reels[1].init); !errors.Is(err, disk.ErrFull) {
		t.Fatalf("create: %v", err)
	}
	disks, err := s.Disks(t.Context())
	if err != nil || !disks[0].Usable || disks[0].Free != 0 {
		t.Fatalf("%+v, %v", disks, err)
	}
	if err := s.Delete(t.Context(), reels[0].seg.Ref); err != nil {
		t.Fatal(err)
	}
	fsys.SetFaults(faultfs.Faults{Room: 1 << 30})
	write(t, s, reels[1])
	closeStore(t, s)
}

func TestStore_OneDiskThatCannotBeReadDoesNotStopTheOthers(t *testing.T) {
	s, o, fsys, _ := onFaults(t, "/disk/one", "/disk/two")
	reels := film(t, front(), 2, 2)
	write(t, s, reels[0])
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	// No Close: a crash.
	fsys.SetBadFolder("/disk/one/media")
	fsys.SetBadFolder("/disk/two/media")
	s, _ = openStore(t, o)
	usable := func() (n int) {
		disks, err := s.Disks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range disks {
			if d.Usable {
				n++
			}
		}
		return n
	}
	if n := usable(); n != 1 { // only one of them has such a folder
		t.Errorf("%d disks are usable", n)
	}
	write(t, s, reels[1])
	closeStore(t, s)
}

func TestStore_OneFolderUnderTwoNamesIsTakenOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	alias := filepath.Join(t.TempDir(), "alias")
	if err := os.Symlink(dir, alias); err != nil {
		t.Fatal(err)
	}
	s, _ := openStore(t, disk.Options{Dirs: []string{dir, alias}})
	defer closeStore(t, s)
	disks, err := s.Disks(t.Context())
	if err != nil || disks[0].Usable == disks[1].Usable {
		t.Errorf("%+v, %v", disks, err)
	}
}

func TestStore_WhatIsLockedMeanwhileIsNotDeleted(t *testing.T) {
	s, _ := openStore(t, disk.Options{})
	defer closeStore(t, s)
	r := film(t, front(), 2, 1)[0]
	_ = write(t, s, r).Close()
	if _, err := s.AddLock(t.Context(), recordings.Lock{Camera: "front", Range: recordings.Range{From: r.seg.Start + 1, To: r.seg.Start + 2}}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Sync(t.Context()), s.Delete(t.Context(), r.seg.Ref)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Segment(t.Context(), r.seg.Ref, false); errors.Is(err, index.ErrNotFound) {
		t.Error("it was deleted")
	}
}

func TestCheck_AfterACrash(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(file string)
		want disk.Invariant // empty: nothing
	}{
		"nothing else":         {func(string) {}, ""},
		"the file is gone":     {func(file string) { _ = os.Remove(file) }, disk.RowIsFile},
		"its beginning is bad": {func(file string) { alter(t, file, func(b []byte) []byte { b[5] ^= 1; return b }) }, disk.WholeFragments},
		"its middle is bad":    {func(file string) { alter(t, file, func(b []byte) []byte { b[len(b)/8] ^= 1; return b }) }, disk.WholeFragments},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := openStore(t, disk.Options{})
			r := film(t, front(), 10, 1)[0]
			write(t, s, r)
			if err := s.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			seg, err := s.Segment(t.Context(), r.seg.Ref, false)
			if err != nil {
				t.Fatal(err)
			}
			c.harm(filepath.Join(o.Dirs[0], filepath.FromSlash(seg.Path)))
			got := findings(t, o)
			if found := slices.ContainsFunc(got, func(f disk.Finding) bool { return f.Invariant == c.want }); found != (c.want != "") || c.want == "" && len(got) > 0 {
				t.Errorf("found %v, want %q", got, c.want)
			}
		})
	}
}

func TestStore_PromisesNothingBeyondWhatIsNotDurable(t *testing.T) {
	s, _, fsys, _ := onFaults(t, "/disk/one", "/disk/two")
	reels := film(t, front(), 2, 2)
	first := write(t, s, reels[0])
	seg, err := s.Segment(t.Context(), reels[0].seg.Ref, false)
	if err != nil {
		t.Fatal(err)
	}
	disks, err := s.Disks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slow := disks[slices.IndexFunc(disks, func(d recordings.Disk) bool { return d.ID == seg.Dir })].Path
	stuck := make(chan struct{})
	fsys.SetHang(func(name string) {
		if strings.HasPrefix(name, slow) && strings.HasSuffix(name, ".mp4") {
			<-stuck
		}
	})
	_ = first.Close()
	write(t, s, reels[1])
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Sync(t.Context())
	}()
	if until := s.Durable(front()); until > reels[0].seg.Start {
		t.Errorf("durable until %v, and nothing of the first segment is", until)
	}
	close(stuck)
	<-done
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := reels[1].pieces[1].frag
	if until := s.Durable(front()); until != last.End() {
		t.Errorf("durable until %v, want %v", until, last.End())
	}
	closeStore(t, s)
}
