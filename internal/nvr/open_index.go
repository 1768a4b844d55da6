package nvr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

// openIndex opens the index, and makes it anew from the files where it is damaged or
// gone: it holds nothing else, and nothing may stop the cameras from being recorded.
func openIndex(ctx context.Context, path string, dirs []string, log *slog.Logger) (*index.Index, error) {
	_, missing := os.Stat(path)
	if errors.Is(missing, fs.ErrNotExist) && len(marked(dirs)) == 0 {
		return index.Open(ctx, path, index.Options{}) // nothing was ever recorded
	}
	var damaged error
	if missing == nil {
		ix, err := index.Open(ctx, path, index.Options{})
		if !errors.Is(err, index.ErrCorrupt) {
			return ix, err
		}
		damaged = err
		if err := os.Rename(path, path+".damaged"); err != nil {
			return nil, errors.Join(damaged, err)
		}
	}
	log.Warn("the index of recordings is gone or damaged; it is made anew from the files", "index", path, "error", damaged)
	made, err := disk.Rebuild(ctx, disk.RebuildOptions{Dirs: marked(dirs), IndexPath: path, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("make the index of recordings anew: %w", err)
	}
	log.Info("the index of recordings was made anew", "recordings", made.Segments, "unreadable", len(made.Unreadable))
	return index.Open(ctx, path, index.Options{})
}

// marked returns those directories that have recordings.
func marked(dirs []string) (out []string) {
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, disk.MarkerFile)); err == nil {
			out = append(out, dir)
		}
	}
	return out
}

// leastFree is when the store stops writing: only well below where retention makes
// room. 0 is the store's own default.
func leastFree(minFree config.Size) int64 { return min(int64(minFree)/2, 64<<20) }
