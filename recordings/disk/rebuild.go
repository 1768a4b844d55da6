package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// RebuildOptions say what to make an index of. Dirs and IndexPath are required.
type RebuildOptions struct {
	Dirs []string
	// IndexPath is the file of the index. The old one is replaced once the new one
	// is complete; no other process may have it open.
	IndexPath string
	// FS is where Dirs are. Default: System.
	FS FS
	// Progress is told how many files of how many are done. Default: nobody.
	Progress func(done, total int)
	// Logger takes what was mended and what could not be read. Default: nothing.
	Logger *slog.Logger
}

// Rebuilt sums up what Rebuild found.
type Rebuilt struct {
	Segments, Bytes int64
	// Unreadable are files that are no recordings any more; they are left there.
	Unreadable []string
}

// Rebuild makes the index anew from the files alone. Directories of another index
// are taken in.
func Rebuild(ctx context.Context, o RebuildOptions) (r Rebuilt, err error) {
	if o.FS == nil {
		o.FS = System()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	fresh := o.IndexPath + ".new"
	if err := removeIndex(fresh); err != nil {
		return r, err
	}
	ix, err := index.Open(ctx, fresh, index.Options{ID: formerID(ctx, &o)})
	if err != nil {
		return r, err
	}
	b := &rebuild{opts: &o, index: ix, out: &r}
	if err := errors.Join(b.run(ctx), ix.Close()); err != nil {
		return r, errors.Join(err, removeIndex(fresh))
	}
	if err := removeIndex(o.IndexPath); err != nil {
		return r, err
	}
	if err := os.Rename(fresh, o.IndexPath); err != nil {
		return r, fmt.Errorf("put the new index in place: %w", err)
	}
	return r, System().SyncDir(filepath.Dir(o.IndexPath))
}

// formerID returns the id that the directories know their index by; "" for a new one.
func formerID(ctx context.Context, o *RebuildOptions) string {
	if old, err := index.Open(ctx, o.IndexPath, index.Options{ReadOnly: true}); err == nil {
		defer old.Close() //nolint:errcheck // only read
		return old.ID()
	}
	for _, dir := range o.Dirs {
		if m, err := readMarker(o.FS, dir); err == nil {
			return m.Index
		}
	}
	return ""
}

// removeIndex removes the files of an index.
func removeIndex(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old index: %w", err)
		}
	}
	return nil
}

// rebuild is one run of Rebuild.
type rebuild struct {
	opts  *RebuildOptions
	index *index.Index
	out   *Rebuilt

	done, total int
	rows        []recordings.Segment
}

func (b *rebuild) run(ctx context.Context) error {
	dirs := make([]string, 0, len(b.opts.Dirs))
	for _, dir := range b.opts.Dirs {
		path, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("directory %q: %w", dir, err)
		}
		dirs = append(dirs, path)
		count := func(string, recordings.Ref) error { b.total++; return ctx.Err() }
		if err := walk(b.opts.FS, path, count, func(string) {}); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	for _, dir := range dirs {
		if err := b.directory(ctx, dir); err != nil {
			return fmt.Errorf("read %s: %w", dir, err)
		}
	}
	said, err := readDiary(b.opts.FS, b.opts.Logger, dirs...)
	if err != nil {
		return err
	}
	if err := said.bring(ctx, b.index); err != nil {
		return err
	}
	return b.index.SetClean(ctx, true)
}

// directory takes one directory in.
func (b *rebuild) directory(ctx context.Context, path string) error {
	if _, err := b.opts.FS.Stat(path); err != nil {
		return err
	}
	m, err := readMarker(b.opts.FS, path)
	if err != nil {
		m = newMarker(b.index.ID())
	}
	if err != nil || m.Index != b.index.ID() {
		m.Index = b.index.ID()
		if err := writeMarker(b.opts.FS, path, m); err != nil {
			return err
		}
	}
	if err := b.index.BindDirectory(ctx, m.Directory, path); err != nil {
		return err
	}
	d := &directory{path: path, fs: b.opts.FS, log: b.opts.Logger, id: m.Directory}
	err = walk(b.opts.FS, path, func(rel string, _ recordings.Ref) error {
		b.file(d, rel)
		b.done++
		b.opts.Progress(b.done, b.total)
		return errors.Join(ctx.Err(), b.flush(ctx, 100))
	}, func(string) {})
	if err != nil {
		return err
	}
	return b.flush(ctx, 1)
}

// file reads one file, and looks at it closely only if it does not end as it should.
func (b *rebuild) file(d *directory, rel string) {
	found, err := scan(d.fs, d.path, d.id, rel, false)
	if err != nil || found.torn != nil || len(found.seg.Fragments) == 0 {
		var ok bool
		if found.seg, ok = mend(d, b.opts.Logger, rel, false); !ok {
			if _, err := d.fs.Stat(filepath.Join(d.path, filepath.FromSlash(rel))); err == nil {
				b.out.Unreadable = append(b.out.Unreadable, filepath.Join(d.path, filepath.FromSlash(rel)))
			}
			return
		}
	}
	b.rows = append(b.rows, found.seg)
	b.out.Segments++
	b.out.Bytes += found.seg.Bytes
}

func (b *rebuild) flush(ctx context.Context, least int) error {
	if len(b.rows) < least {
		return nil
	}
	err := b.index.Put(ctx, b.rows...)
	b.rows = b.rows[:0]
	return err
}
