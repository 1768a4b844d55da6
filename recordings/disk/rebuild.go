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
	// Unreadable are files of which nothing can be shown, or only what is before a
	// damage. They are left as they are.
	Unreadable []string
}

// Rebuild makes the index anew from the files alone, and changes none of them.
// Directories of another index are taken in; an empty one in the place of a disk that
// is not mounted is not.
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
	id, known := former(ctx, &o)
	ix, err := index.Open(ctx, fresh, index.Options{ID: id})
	if err != nil {
		return r, err
	}
	b := &rebuild{opts: &o, index: ix, out: &r, known: known, clean: true}
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

// former returns the id that the directories know their index by, "" for a new one,
// and the directories that the old index knew, by path.
func former(ctx context.Context, o *RebuildOptions) (id string, known map[string]string) {
	known = make(map[string]string)
	if old, err := index.Open(ctx, o.IndexPath, index.Options{ReadOnly: true}); err == nil {
		defer old.Close() //nolint:errcheck // only read
		dirs, _ := old.Directories(ctx)
		for _, d := range dirs {
			if d.Path != "" {
				known[d.Path] = d.ID
			}
		}
		return old.ID(), known
	}
	for _, dir := range o.Dirs {
		if m, err := readMarker(o.FS, dir); err == nil {
			return m.Index, known
		}
	}
	return "", known
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
	known map[string]string // ids of directories by path, of the old index

	clean       bool // no file ends as one does that is still to be mended
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
	said := newDiary()
	for _, dir := range dirs {
		if err := said.read(b.opts.FS, b.opts.Logger, dir); err != nil {
			return err
		}
	}
	if err := said.bring(ctx, b.index); err != nil {
		return err
	}
	return b.index.SetClean(ctx, b.clean)
}

// directory takes one directory in.
func (b *rebuild) directory(ctx context.Context, path string) error {
	if _, err := b.opts.FS.Stat(path); err != nil {
		return err
	}
	m, err := b.marker(path)
	if err != nil {
		return err
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

// marker reads the marker of a directory, and writes one where recordings lie without
// any, or with that of another index.
func (b *rebuild) marker(path string) (marker, error) {
	m, err := readMarker(b.opts.FS, path)
	was, bound := b.known[path]
	_, missing := b.opts.FS.Stat(filepath.Join(path, mediaFolder))
	switch {
	case bound && (err != nil && missing != nil || err == nil && m.Directory != was):
		return m, fmt.Errorf("this is not the disk that recordings were written to; mount that, or name another folder with --dir")
	case err != nil && missing != nil:
		return m, errors.New("there are no recordings in it; is the disk mounted?")
	case err != nil:
		m = newMarker(b.index.ID())
		if bound {
			m.Directory = was
		}
	case m.Index == b.index.ID():
		return m, nil
	}
	m.Index = b.index.ID()
	return m, writeMarker(b.opts.FS, path, m)
}

// file reads one file, and looks at it closely only if it does not end as it should.
func (b *rebuild) file(d *directory, rel string) {
	name := filepath.Join(d.path, filepath.FromSlash(rel))
	found, err := scan(d.fs, d.path, d.id, rel, false)
	if err == nil && found.torn != nil {
		found, err = scan(d.fs, d.path, d.id, rel, true)
	}
	switch {
	case err != nil || len(found.seg.Fragments) == 0:
		b.opts.Logger.Error("a recording cannot be read; it is left where it is", "file", name, "error", errors.Join(err, found.torn))
		b.out.Unreadable = append(b.out.Unreadable, name)
		return
	case found.header:
		b.opts.Logger.Error("the beginning of a recording is damaged; it can still be read", "file", name)
		b.out.Unreadable = append(b.out.Unreadable, name)
	case found.damaged():
		b.opts.Logger.Error("a recording is damaged; only what is before the damage is shown, and the file is left as it is", "file", name, "at", found.good, "error", found.torn)
		b.out.Unreadable = append(b.out.Unreadable, name)
	case found.torn != nil:
		found.seg.Open, b.clean = true, false // the recorder cuts it off when it starts
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
