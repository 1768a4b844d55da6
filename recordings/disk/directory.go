package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// directory is one folder that recordings are written to. Safe for concurrent use.
type directory struct {
	// Constant after construction.
	path string
	fs   FS
	log  *slog.Logger

	waiting atomic.Int32         // syncs under way
	syncing sync.Mutex           // held while its files are synced; guards unput
	unput   []recordings.Segment // rows that the index would not take yet

	unmended bool // a crash may have left something; owned by Open, then by Run

	mu      sync.Mutex // guards what follows
	id      string     // "" until the marker was read
	problem error      // why it cannot be used; nil if it can
	looked  time.Time  // when that was found out
	free    int64      // when looked at last, less what was written since
	total   int64
}

// attach finds out whether the directory is the one that belongs here, and makes
// it if the index has never known it.
func (d *directory) attach(ctx context.Context, ix *index.Index, now time.Time) error {
	id, err := d.identify(ctx, ix)
	full := false
	if err == nil {
		err = d.tryWriting()
		// A full disk is a good one: what is on it can be seen, and deleted.
		if full = errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT); full {
			err = nil
		}
	}
	free, total, spaceErr := d.fs.Space(d.path)
	if full {
		free = 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if id != "" {
		d.id = id
	}
	first := d.looked.IsZero()
	was := d.problem
	if err == nil {
		err = spaceErr
	}
	d.problem, d.looked = err, now
	d.free, d.total = free, total
	switch {
	case d.problem != nil && (first || was == nil):
		d.log.Error("a directory for recordings cannot be used", "dir", d.path, "error", d.problem)
	case d.problem == nil && was != nil:
		d.log.Info("a directory for recordings can be used again", "dir", d.path)
	}
	return d.problem
}

// identify reads the marker, or makes one where there never was one.
func (d *directory) identify(ctx context.Context, ix *index.Index) (id string, err error) {
	known, err := ix.Directories(ctx)
	if err != nil {
		return "", err
	}
	bound := ""
	for _, k := range known {
		if k.Path == d.path {
			bound = k.ID
		}
	}
	m, err := readMarker(d.fs, d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && bound != "":
		return bound, fmt.Errorf("%s is not the disk that recordings were written to: its %s is missing. Mount the disk; nothing is written until then", d.path, MarkerFile)
	case errors.Is(err, fs.ErrNotExist):
		return d.found(ctx, ix)
	case err != nil:
		return bound, err
	case bound != "" && m.Directory != bound:
		return bound, fmt.Errorf("%s is another disk than the one that recordings were written to. Mount the right one, or run `sightline recordings rebuild` to take this one in", d.path)
	case m.Index != ix.ID():
		return m.Directory, fmt.Errorf("%s has recordings of another index. Run `sightline recordings rebuild` to take them in, or name an empty directory", d.path)
	case bound == "":
		err = ix.BindDirectory(ctx, m.Directory, d.path) // it was moved, or its row was lost
	}
	return m.Directory, err
}

// found makes a new directory of recordings.
func (d *directory) found(ctx context.Context, ix *index.Index) (string, error) {
	if entries, err := d.fs.ReadDir(d.path); err == nil {
		for _, e := range entries {
			if e.Name() == mediaFolder {
				return "", fmt.Errorf("%s has recordings and no %s. Run `sightline recordings rebuild` to take them in", d.path, MarkerFile)
			}
		}
	}
	m := newMarker(ix.ID())
	changed, err := makeFolders(d.fs, filepath.Dir(d.path), d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("make %s: the folder above it does not exist; make it, or mount the disk", d.path)
	}
	if err != nil {
		return "", fmt.Errorf("make %s: %w", d.path, err)
	}
	for _, c := range changed {
		if err := d.fs.SyncDir(c); err != nil {
			return "", err
		}
	}
	if err := writeMarker(d.fs, d.path, m); err != nil {
		return "", fmt.Errorf("write %s: %w", filepath.Join(d.path, MarkerFile), err)
	}
	return m.Directory, ix.BindDirectory(ctx, m.Directory, d.path)
}

// tryWriting finds out whether the directory takes and keeps files.
func (d *directory) tryWriting() error {
	name := filepath.Join(d.path, ".probe")
	if err := writeFile(d.fs, name, []byte("sightline\n")); err != nil {
		_ = d.fs.Remove(name + ".tmp") // of a full disk
		return fmt.Errorf("%s cannot be written to: %w", d.path, err)
	}
	return d.fs.Remove(name)
}

// fail takes the directory out of use until it is looked at again.
func (d *directory) fail(err error, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.problem == nil {
		d.log.Error("a directory for recordings failed", "dir", d.path, "error", err)
	}
	d.problem, d.looked = err, now
}

// full notes that there is no room.
func (d *directory) full() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = 0
}

// present reports whether the marker is still there.
func (d *directory) present() error {
	if _, err := d.fs.Stat(filepath.Join(d.path, MarkerFile)); err != nil {
		return fmt.Errorf("%s was removed or unmounted: %w", d.path, err)
	}
	return nil
}

// measure asks how much room there is.
func (d *directory) measure() {
	free, total, err := d.fs.Space(d.path)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free, d.total = free, total
}

// used notes that n bytes were written.
func (d *directory) used(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free -= n
}

// room returns what may still be written, and whether it can be written to at all.
func (d *directory) room() (free int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free, d.problem
}

// floor is how much room is left to others: less than asked for on a small disk, or
// nothing could ever be recorded there.
func (d *directory) floor(minFree int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return min(minFree, d.total/16)
}

// name returns the id, "" while it is not known.
func (d *directory) name() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.id
}

// due reports whether it should be looked at again.
func (d *directory) due(now time.Time, every time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.problem != nil && now.Sub(d.looked) >= every
}

// view returns it as others see it; Used is not filled in.
func (d *directory) view() recordings.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := recordings.Disk{ID: d.id, Path: d.path, Usable: d.problem == nil, Total: d.total, Free: d.free}
	if d.problem != nil {
		v.Reason = d.problem.Error()
	}
	return v
}
