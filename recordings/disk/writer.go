package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// writer writes one segment: it is a recordings.Writer. Append and Close are the
// recorder's, sync the store's.
type writer struct {
	// Constant after Create.
	store   *Store
	dir     *directory
	path    string
	folders []string // whose names have to be synced before the first promise, innermost first

	// writing is held while the file is written to or cut off, which may take as long
	// as the disk likes. Nobody but who does that waits for it.
	writing sync.Mutex

	mu        sync.Mutex // guards what follows
	file      File       // nil once it is closed
	seg       recordings.Segment
	appending bool            // a write is under way
	closed    bool            // nothing is appended any more
	failed    error           // why nothing can be appended any more
	ragged    bool            // something that does not count could not be cut off
	doubt     bool            // the disk failed: what is beyond the durable part does not count
	own       []time.Duration // of each fragment by itself, whatever follows it

	// What the last sync promised, and whether the index has heard of it.
	durableBytes int64
	durableFrags int
	indexed      bool
}

// create makes the file with the init segment.
func (w *writer) create(init []byte) (err error) {
	fsys := w.store.opts.FS
	if _, err = makeFolders(fsys, w.dir.path, filepath.Dir(w.path)); err != nil {
		return err
	}
	// All of them, whoever made them: another writer's folder is no more durable
	// than that one's sync.
	for folder := filepath.Dir(w.path); ; folder = filepath.Dir(folder) {
		w.folders = append(w.folders, folder)
		if folder == w.dir.path {
			break
		}
	}
	f, err := fsys.OpenFile(w.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	if err := writeFull(f, init, 0); err != nil {
		return errors.Join(err, f.Close(), fsys.Remove(w.path))
	}
	w.file = f
	w.dir.used(int64(len(init)))
	return nil
}

// abandon removes the file again.
func (w *writer) abandon() error {
	return errors.Join(w.file.Close(), w.store.opts.FS.Remove(w.path))
}

func writeFull(f File, data []byte, at int64) error {
	n, err := f.WriteAt(data, at)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	return err
}

// Append implements recordings.Writer.
func (w *writer) Append(f recordings.Fragment, data []byte) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	at, err := w.begin(&f, data)
	if err != nil {
		return err
	}
	err = writeFull(w.file, data, at) // only we close it, and not while appending is set
	w.mu.Lock()
	defer w.mu.Unlock()
	w.appending = false
	if err != nil {
		return w.failLocked(fmt.Errorf("write %s: %w", w.seg.Path, err))
	}
	f.Offset = at
	if n := len(w.seg.Fragments); n > 0 {
		last := &w.seg.Fragments[n-1]
		last.Duration = f.Start.Sub(last.Start)
	}
	w.seg.Fragments, w.own = append(w.seg.Fragments, f), append(w.own, f.Duration)
	w.seg.Bytes += f.Bytes
	w.seg.End = f.End()
	w.dir.used(f.Bytes)
	return nil
}

// begin checks a fragment and says where it goes.
func (w *writer) begin(f *recordings.Fragment, data []byte) (at int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch n := len(w.seg.Fragments); {
	case w.failed != nil:
		return 0, w.failed
	case w.closed:
		return 0, fmt.Errorf("write %s: %w", w.seg.Path, ErrClosed)
	case int64(len(data)) != f.Bytes || f.Duration <= 0 || n > 0 && f.Start <= w.seg.Fragments[n-1].Start:
		return 0, fmt.Errorf("write %s: the fragment at %v does not follow the one before", w.seg.Path, f.Start)
	}
	w.appending = true
	return w.seg.Bytes, nil
}

// failLocked ends the segment. What was torn off is cut off, so that the file is
// whole fragments only; where that fails too, the next start does it.
func (w *writer) failLocked(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		w.distrustLocked(err)
		return w.failed
	}
	// Everything before is as good as ever.
	w.closed, w.failed = true, w.store.blame(w.dir, err)
	if cut := w.file.Truncate(w.seg.Bytes); cut != nil {
		w.raggedLocked(cut)
	}
	return w.failed
}

// raggedLocked notes that the file has an end that does not count.
func (w *writer) raggedLocked(err error) {
	w.ragged = true
	w.store.trouble()
	w.store.opts.Logger.Warn("a torn piece of a recording could not be cut off; the next start does it", "file", w.path, "error", err)
}

// distrustLocked ends the segment at what the last sync promised: nobody knows what
// became of the rest.
func (w *writer) distrustLocked(err error) {
	w.closed, w.doubt, w.failed = true, true, w.store.blame(w.dir, err)
	w.cutLocked(w.durableFrags)
	w.store.opts.Logger.Error("a recording ends early because the disk failed", "file", w.path, "until", w.seg.End.String(), "error", err)
	// It is not synced: this disk's word counts for nothing. If what is cut off comes
	// back, the next start cuts it off again.
	if cut := w.file.Truncate(w.seg.Bytes); cut != nil {
		w.raggedLocked(cut)
	}
}

// cutLocked forgets all but n fragments.
func (w *writer) cutLocked(n int) {
	frags := w.seg.Fragments
	if n == len(frags) {
		return
	}
	w.seg.Fragments, w.own, w.seg.Bytes, w.seg.End = frags[:n], w.own[:n], w.seg.InitBytes, w.seg.Start
	if n > 0 {
		last := &w.seg.Fragments[n-1]
		last.Duration = w.own[n-1]
		w.seg.Bytes, w.seg.End = last.Offset+last.Bytes, last.End()
	}
}

// Close implements recordings.Writer. The next sync completes the file.
func (w *writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.failed
}

// sync makes durable what was appended, and reports the row for the index, if it
// has anything new to say, and whether the segment is over.
func (w *writer) sync() (row *recordings.Segment, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil, true
	}
	if w.seg.Bytes != w.durableBytes && !w.doubt {
		bytes, frags := w.seg.Bytes, len(w.seg.Fragments)
		w.mu.Unlock() // nobody waits for the disk but us
		err := w.reallySync()
		w.mu.Lock()
		if err != nil {
			w.distrustLocked(fmt.Errorf("sync %s: %w", w.seg.Path, err))
		} else {
			w.durableBytes, w.durableFrags = bytes, frags
		}
	}
	over = w.closed && !w.appending && (w.doubt || w.seg.Bytes == w.durableBytes)
	if over {
		row = w.finishLocked()
	} else if !w.indexed && w.durableFrags > 0 {
		w.indexed = true
		copied := w.seg
		copied.Fragments, copied.Bytes, copied.End = nil, copied.InitBytes, copied.Start
		row = &copied
	}
	return row, over
}

// reallySync makes the content durable, and the first time the names that lead to
// it. A file that its name no longer leads to is lost, however well it is synced.
func (w *writer) reallySync() error {
	fsys := w.store.opts.FS
	now, err := fsys.Stat(w.path)
	if err != nil {
		return fmt.Errorf("it was removed while it was written: %w", err)
	}
	if mine, err := w.file.Stat(); err != nil || !sameFile(mine, now) {
		return errors.Join(errors.New("it was replaced while it was written"), err)
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	for _, dir := range w.folders {
		if err := fsys.SyncDir(dir); err != nil {
			return err
		}
	}
	w.folders = nil
	return nil
}

// sameFile is os.SameFile, which knows the system's files only.
func sameFile(a, b fs.FileInfo) bool {
	if s, ok := a.(interface{ SameFile(o fs.FileInfo) bool }); ok {
		return s.SameFile(b)
	}
	return os.SameFile(a, b)
}

// finishLocked closes the file and returns the final row; nil, and no file, if
// nothing was written.
func (w *writer) finishLocked() *recordings.Segment {
	if err := w.file.Close(); err != nil {
		w.store.opts.Logger.Warn("a recording could not be closed", "file", w.path, "error", err)
	}
	w.file = nil
	w.seg.Open = w.ragged // then the next start mends it
	if len(w.seg.Fragments) == 0 {
		if err := w.store.opts.FS.Remove(w.path); err != nil {
			w.store.trouble()
			w.store.opts.Logger.Warn("an empty recording could not be removed", "file", w.path, "error", err)
		}
		return nil
	}
	final := w.seg
	return &final
}

// snapshot returns the segment as it is now.
func (w *writer) snapshot(fragments bool) recordings.Segment {
	w.mu.Lock()
	defer w.mu.Unlock()
	seg := w.seg
	if fragments {
		seg.Fragments = append([]recordings.Fragment(nil), seg.Fragments...)
	} else {
		seg.Fragments = nil
	}
	return seg
}

// promised returns up to when the segment is safe from a power cut: its Start if
// nothing is yet, and then begun is false. complete says that there is nothing else of
// it.
func (w *writer) promised() (until recordings.Time, begun, complete bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	until, complete = w.seg.Start, w.doubt || w.seg.Bytes == w.durableBytes && !w.appending
	if n := min(w.durableFrags, len(w.seg.Fragments)); n > 0 {
		until, begun = w.seg.Fragments[n-1].End(), true
	}
	return until, begun, complete
}
