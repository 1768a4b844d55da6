package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/nvr"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
	"github.com/sightline-cam/sightline/recordings/index"
)

// filmed writes three segments of four seconds, the second directly behind the
// first and the third ten seconds later, and returns their files.
func filmed(t *testing.T, state, dir string, noon time.Time) (files []string) {
	t.Helper()
	ctx := t.Context()
	ix, err := index.Open(ctx, filepath.Join(state, nvr.IndexFile), index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := disk.Open(ctx, disk.Options{Dirs: []string{dir}, Index: ix})
	if err != nil {
		t.Fatal(err)
	}
	for i, after := range []time.Duration{0, 4 * time.Second, 18 * time.Second} {
		begin := noon.Add(after)
		h := fmp4.Header{Ref: recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: recordings.TimeOf(begin)}}
		if i == 2 {
			h.Before = recordings.CameraOffline
		}
		video := fmp4test.Pictures(t, testpattern.Options{FPS: 1, GOP: time.Second}, 4, begin)
		seg := fmp4test.Write(t, h, video, fmp4test.Media{}, time.Second, recordings.TimeOf(begin.Add(4*time.Second)))
		seg.Before = h.Before
		w, err := s.Create(ctx, seg.Segment, seg.Data[:seg.InitBytes])
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range seg.Fragments {
			if err := w.Append(f, seg.Data[f.Offset:f.Offset+f.Bytes]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	files, err = filepath.Glob(filepath.Join(dir, "media", "front", "main", "*", "*.mp4"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v: %v", files, err)
	}
	return files
}

func TestRecordingsExport_SaysWhatIsMissing(t *testing.T) {
	state, dir, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "clip.mp4")
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	files := filmed(t, state, dir, noon)
	run := func(from, to string) (said string, size int64, err error) {
		var stderr bytes.Buffer
		c := recordingsExport{Camera: "front", From: from, To: to, Output: out, Rendition: "main", Force: true, place: place{StateDir: state, Dir: []string{dir}}}
		err = c.Run(t.Context(), &cli.Process{Name: "sightline", Version: "test", Stderr: &stderr})
		info, statErr := os.Stat(out)
		if statErr != nil {
			t.Fatal(statErr)
		}
		return stderr.String(), info.Size(), err
	}
	said, whole, err := run("2026-11-21T12:00:00", "8s")
	if err != nil || said != "" {
		t.Errorf("of what is all there it says %q, %v", said, err)
	}
	said, _, err = run("2026-11-21T12:00:00", "30s")
	want := "The export is from 2026-11-21 12:00:00 to 2026-11-21 12:00:22; asked for was from 2026-11-21 12:00:00 to 2026-11-21 12:00:30.\n" +
		"Nothing from 2026-11-21 12:00:08 to 2026-11-21 12:00:18 (10s): camera offline.\n" +
		"Nothing from 2026-11-21 12:00:22 to 2026-11-21 12:00:30 (8s).\n"
	if err != nil || said != want {
		t.Errorf("it says %v\n%s\nwant\n%s", err, said, want)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(files[0], info.Size()-10); err != nil {
		t.Fatal(err)
	}
	said, size, err := run("2026-11-21T12:00:00", "8s")
	if err == nil || !strings.Contains(err.Error(), "A piece of the recording is damaged") || size < whole/2 || size > whole {
		t.Errorf("%d of %d bytes with damage: %v", size, whole, err)
	}
	if !strings.Contains(said, "Nothing from 2026-11-21 12:00:03 to 2026-11-21 12:00:04 (1s): damaged.\n") {
		t.Errorf("it says %q", said)
	}
}
