package nvr

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

func TestOpenIndex_IsMadeAnewWhereItIsDamagedOrGone(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"gone": os.Remove,
		"damaged": func(path string) error {
			return os.WriteFile(path, []byte("SQLite format 3\x00 and then nothing"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			state, dir := t.TempDir(), filepath.Join(t.TempDir(), "recordings")
			path := filepath.Join(state, IndexFile)
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			ix, err := openIndex(t.Context(), path, []string{dir}, logger)
			if err != nil {
				t.Fatal(err)
			}
			use(t, ix, dir)
			id := ix.ID()
			if err := ix.Close(); err != nil {
				t.Fatal(err)
			}
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			if ix, err = openIndex(t.Context(), path, []string{dir}, logger); err != nil {
				t.Fatal(err)
			}
			use(t, ix, dir)
			if ix.ID() != id || !strings.Contains(log.String(), "made anew") {
				t.Errorf("id %s, was %s; log:\n%s", ix.ID(), id, &log)
			}
			if err := ix.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// use opens a store on the directory, which must be usable.
func use(t *testing.T, ix *index.Index, dir string) {
	t.Helper()
	s, err := disk.Open(t.Context(), disk.Options{Dirs: []string{dir}, Index: ix})
	if err != nil {
		t.Fatal(err)
	}
	disks, err := s.Disks(t.Context())
	if err != nil || !disks[0].Usable {
		t.Errorf("%+v, %v", disks, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
