package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
)

// recorded writes segments, an event and a lock, and closes the
// store. It returns the files.
func recorded(t *testing.T, reels []reel) (disk.Options, []string) {
	t.Helper()
	s, o := openStore(t, disk.Options{})
	var files []string
	for _, r := range reels {
		write(t, s, r)
		seg, err := s.Segment(t.Context(), r.seg.Ref, false)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(o.Dirs[0], filepath.FromSlash(seg.Path)))
	}
	span := recordings.Range{From: epoch(), To: epoch().Add(1e9)}
	_, err1 := s.AddEvent(t.Context(), recordings.Event{Camera: "front", Type: "door", Range: span})
	_, err2 := s.AddLock(t.Context(), recordings.Lock{Camera: "front", Name: "burglar", Range: span})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	if got := findings(t, o); len(got) > 0 {
		t.Fatalf("before anything is wrong: %v", got)
	}
	return o, files
}

func TestCheck_FindsWhatIsWrong(t *testing.T) {
	reels := film(t, front(), 2, 2)
	late := filmAt(t, front(), 2, 1, 500_000)[0]
	for _, c := range []struct {
		name string
		want disk.Invariant
		harm func(t *testing.T, o disk.Options, files []string)
	}{
		{"a bit fell over in a picture", disk.WholeFragments, func(t *testing.T, _ disk.Options, files []string) {
			alter(t, files[0], func(b []byte) []byte { b[len(b)/2] ^= 4; return b })
		}},
		{"a file is cut off", disk.WholeFragments, func(t *testing.T, _ disk.Options, files []string) {
			alter(t, files[1], func(b []byte) []byte { return b[:len(b)-100] })
		}},
		{"something follows the last fragment", disk.WholeFragments, func(t *testing.T, _ disk.Options, files []string) {
			alter(t, files[1], func(b []byte) []byte { return append(b, "junk"...) })
		}},
		{"the beginning is damaged", disk.WholeFragments, func(t *testing.T, _ disk.Options, files []string) {
			alter(t, files[0], func(b []byte) []byte { b[40] ^= 1; return b })
		}},
		{"a file has another's name", disk.NameIsHeader, func(t *testing.T, _ disk.Options, files []string) {
			if err := os.Rename(files[0], strings.Replace(files[0], "T120000", "T115900", 1)); err != nil {
				t.Fatal(err)
			}
		}},
		{"there is a file that is no recording", disk.NameIsHeader, func(t *testing.T, _ disk.Options, files []string) {
			if err := os.WriteFile(filepath.Join(filepath.Dir(files[0]), "holiday.mp4"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a file is gone", disk.RowIsFile, func(t *testing.T, _ disk.Options, files []string) {
			if err := os.Remove(files[0]); err != nil {
				t.Fatal(err)
			}
		}},
		{"a row is gone", disk.RowIsFile, func(t *testing.T, o disk.Options, _ []string) {
			if err := o.Index.Purge(t.Context(), recordings.Ref{Stream: front(), Start: epoch()}); err != nil {
				t.Fatal(err)
			}
		}},
		{"a row says something else", disk.RowIsFile, func(t *testing.T, o disk.Options, _ []string) {
			seg, err := o.Index.Segment(t.Context(), recordings.Ref{Stream: front(), Start: epoch()}, true)
			seg.Fragments[1].Offset++
			if err := errors.Join(err, o.Index.Put(t.Context(), seg)); err != nil {
				t.Fatal(err)
			}
		}},
		{"two segments overlap", disk.NoOverlap, func(t *testing.T, o disk.Options, _ []string) {
			s, _ := openStore(t, o)
			write(t, s, late)
			closeStore(t, s)
		}},
		{"the marker is gone", disk.MarkerBinds, func(t *testing.T, o disk.Options, _ []string) {
			if err := os.Remove(filepath.Join(o.Dirs[0], "sightline.json")); err != nil {
				t.Fatal(err)
			}
		}},
		{"an event is missing in the index", disk.JournalIsIndex, func(t *testing.T, o disk.Options, _ []string) {
			if _, err := o.Index.DeleteEventsBefore(t.Context(), "front", epoch().Add(1e12)); err != nil {
				t.Fatal(err)
			}
		}},
		{"a lock is missing in the journal", disk.JournalIsIndex, func(t *testing.T, o disk.Options, _ []string) {
			if err := o.Index.PutLock(t.Context(), recordings.Lock{ID: "x", Camera: "front", Range: recordings.Range{From: 1, To: 2}}); err != nil {
				t.Fatal(err)
			}
		}},
		{"a deletion stopped half-way", disk.NothingPending, func(t *testing.T, o disk.Options, files []string) {
			if err := errors.Join(o.Index.Tombstone(t.Context(), recordings.Ref{Stream: front(), Start: epoch()}), os.Remove(files[0])); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, files := recorded(t, reels)
			c.harm(t, o, files)
			got := findings(t, o)
			if !slices.ContainsFunc(got, func(f disk.Finding) bool { return f.Invariant == c.want }) {
				t.Errorf("found %v, want %s", got, c.want)
			}
		})
	}
}

// alter changes a file.
func alter(t *testing.T, name string, how func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, how(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRebuild_TakesInWhatTheIndexLost(t *testing.T) {
	o, _ := recorded(t, film(t, front(), 2, 2))
	fresh := filepath.Join(t.TempDir(), "index.db")
	r, err := disk.Rebuild(t.Context(), disk.RebuildOptions{Dirs: o.Dirs, IndexPath: fresh})
	if err != nil || r.Segments != 2 || len(r.Unreadable) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	again := o
	again.Index = openIndex(t, fresh)
	if got := findings(t, again); len(got) > 0 {
		t.Errorf("%v", got)
	}
	var was, is strings.Builder
	if err := errors.Join(o.Index.Dump(t.Context(), &was), again.Index.Dump(t.Context(), &is)); err != nil || was.String() != is.String() {
		t.Errorf("%v\n%s\n%s", err, was.String(), is.String())
	}
	events, err := again.Index.Events(t.Context(), "front", recordings.Range{From: epoch(), To: epoch() + 1}, 0)
	if err != nil || len(events) != 1 {
		t.Errorf("events %v, %v", events, err)
	}
}

func TestRebuild_LeavesWhatItCannotRead(t *testing.T) {
	o, files := recorded(t, film(t, front(), 2, 2))
	big := make([]byte, 65<<20) // more than a recording has before it is first synced
	if err := os.WriteFile(files[0], big, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := disk.Rebuild(t.Context(), disk.RebuildOptions{Dirs: o.Dirs, IndexPath: filepath.Join(t.TempDir(), "index.db")})
	if err != nil || r.Segments != 1 || !slices.Equal(r.Unreadable, files[:1]) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := os.Stat(files[0]); err != nil {
		t.Errorf("it was removed: %v", err)
	}
}
