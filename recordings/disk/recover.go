package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/index"
)

// recover makes files and index agree again after a crash: deletions are completed,
// torn tails cut off, files taken in whose rows were lost, and rows dropped whose
// files are gone. After a start in good order there is nothing to do. What goes wrong
// on one disk is no error: the others have to record.
func (s *Store) recover(ctx context.Context) error {
	ix := s.opts.Index
	clean, err := ix.Clean(ctx)
	if err != nil {
		return err
	}
	said := s.readJournals()
	if err := s.finishDeleting(ctx); err != nil {
		s.opts.Logger.Error("recordings could not be deleted; they are when the recorder starts again", "error", err)
		s.trouble()
	}
	if clean {
		return ix.SetClean(ctx, false)
	}
	for _, d := range s.dirs {
		d.unmended = true
		if _, problem := d.room(); problem == nil {
			s.mendDirectory(ctx, d)
		}
	}
	if err := said.bring(ctx, ix); err != nil {
		return err
	}
	return ix.SetClean(ctx, false)
}

// mendDirectory reconciles one directory after a crash. One that cannot be read is
// taken out of use, and tried again.
func (s *Store) mendDirectory(ctx context.Context, d *directory) {
	if err := s.reconcile(ctx, d); err != nil {
		s.trouble()
		d.fail(fmt.Errorf("mend %s: %w", d.path, err), time.Now())
		return
	}
	d.unmended = false
}

// readJournals reads what the journals say, and goes on counting their entries.
func (s *Store) readJournals() *diary {
	said := newDiary()
	for _, d := range s.dirs {
		if _, problem := d.room(); problem != nil {
			continue
		}
		if err := said.read(s.opts.FS, s.opts.Logger, d.path); err != nil {
			s.trouble()
			s.opts.Logger.Error("a journal cannot be read", "dir", d.path, "error", err)
		}
	}
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.seq = said.newest()
	return said
}

// known are the rows of one directory, by path.
type known map[string]recordings.Segment

// reconcile makes the rows of one directory those of its files.
func (s *Store) reconcile(ctx context.Context, d *directory) error {
	rows, err := s.rowsOf(ctx, d.name())
	if err != nil {
		return err
	}
	last := make(map[recordings.Stream]recordings.Time) // when the newest finished segment began
	for _, row := range rows {
		if !row.Open {
			last[row.Stream] = max(last[row.Stream], row.Start)
		}
	}
	var found []recordings.Segment
	flush := func(least int) error {
		if len(found) < least {
			return nil
		}
		err := s.opts.Index.Put(ctx, found...)
		found = nil
		return err
	}
	err = walk(s.opts.FS, d.path, func(rel string, ref recordings.Ref) error {
		row, ok := rows[rel]
		delete(rows, rel)
		if s.writes(ref) {
			return nil
		}
		if ok && !row.Open {
			return s.trim(d, row)
		}
		seg, whole := mend(d, s.opts.Logger, rel, ok, ref.Start > last[ref.Stream])
		if whole {
			s.sawCrash(seg.Stream)
			found = append(found, seg)
		} else if ok {
			rows[rel] = row // its row says what is not so
		}
		return flush(100)
	}, func(string) {})
	if err != nil {
		return err
	}
	if err := flush(1); err != nil {
		return err
	}
	gone := make([]recordings.Ref, 0, len(rows))
	for _, row := range rows {
		gone = append(gone, row.Ref)
	}
	if len(gone) == 0 {
		return nil
	}
	s.opts.Logger.Warn("recordings in the index have no file any more", "dir", d.path, "count", len(gone))
	return s.opts.Index.Purge(ctx, gone...)
}

// trim cuts off what a finished file has beyond its row: it was cut off before, and
// that was not durable.
func (s *Store) trim(d *directory, row recordings.Segment) error {
	name := filepath.Join(d.path, filepath.FromSlash(row.Path))
	info, err := d.fs.Stat(name)
	if err != nil || info.Size() <= row.Bytes {
		return err
	}
	if found, err := scan(d.fs, d.path, d.name(), row.Path, true); err != nil || found.good == row.Bytes && found.damaged() {
		return nil // damaged in the middle: it stays as it is
	}
	s.opts.Logger.Info("what the disk had failed to write was cut off again", "file", name, "bytes", info.Size()-row.Bytes)
	return cutOff(d.fs, name, row.Bytes)
}

// rowsOf returns the rows of a directory, without fragments.
func (s *Store) rowsOf(ctx context.Context, dir string) (known, error) {
	streams, err := s.opts.Index.Streams(ctx)
	if err != nil {
		return nil, err
	}
	rows := make(known)
	const page = 5000
	for _, st := range streams {
		for after := recordings.Time(minTime); ; {
			segs, err := s.opts.Index.Oldest(ctx, st.Stream, after, page)
			if err != nil {
				return nil, err
			}
			for _, seg := range segs {
				if seg.Dir == dir {
					rows[seg.Path] = seg
				}
				after = seg.Start
			}
			if len(segs) < page {
				break
			}
		}
	}
	open, err := s.opts.Index.OpenSegments(ctx)
	for _, seg := range open {
		if seg.Dir == dir {
			rows[seg.Path] = seg
		}
	}
	return rows, err
}

// minTime is before every recording.
const minTime = -1 << 62

// mend brings a file that was being written into order, and returns its row; false
// if it has none. promised says that the index knew it: then it was synced, and is
// kept whatever it looks like. Of one that is the newest of its stream and was not,
// nothing was ever promised. Everything else that cannot be read stays as it is: a
// person may know better.
func mend(d *directory, log *slog.Logger, rel string, promised, newest bool) (recordings.Segment, bool) {
	name := filepath.Join(d.path, filepath.FromSlash(rel))
	log = log.With("file", name)
	found, err := scan(d.fs, d.path, d.name(), rel, true)
	begun := newest && !promised && found.size <= mostUnsynced
	torn := errors.Is(err, fmp4.ErrMalformed) && found.seg.InitBytes == 0 // its very beginning
	switch {
	case err != nil && (!begun || !torn):
		log.Error("a recording cannot be read; it is left where it is", "error", err)
		return recordings.Segment{}, false
	case err != nil, len(found.seg.Fragments) == 0 && begun && found.beyond == 0:
		if err := errors.Join(d.fs.Remove(name), d.fs.SyncDir(filepath.Dir(name))); err != nil {
			log.Warn("an empty recording could not be removed", "error", err)
		}
		return recordings.Segment{}, false
	case len(found.seg.Fragments) == 0:
		log.Error("a recording has no picture that can be read; it is left where it is", "error", found.torn)
		return recordings.Segment{}, false
	case found.damaged():
		log.Error("a recording is damaged; only what is before the damage is shown, and the file is left as it is", "at", found.good, "error", found.torn)
	case found.size > found.good:
		if err := cutOff(d.fs, name, found.good); err != nil {
			log.Error("the torn end of a recording could not be cut off", "error", err)
		}
		log.Info("the torn end of a recording was cut off", "bytes", found.size-found.good, "why", found.torn)
	}
	return found.seg, true
}

// mostUnsynced is more than a file gets between two syncs, in bytes: some seconds of
// the best camera.
const mostUnsynced = 16 << 20

// cutOff makes a file end, durably.
func cutOff(fsys FS, name string, size int64) error {
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// finishDeleting completes what Delete began.
func (s *Store) finishDeleting(ctx context.Context) error {
	rows, err := s.opts.Index.Tombstoned(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	return s.unlink(ctx, rows)
}

// writes reports whether a segment is being written now.
func (s *Store) writes(ref recordings.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writers[ref] != nil
}

func (s *Store) sawCrash(stream recordings.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashed[stream] = true
}

// Delete removes segments for good. Those being written, or locked, are passed over,
// and so are those on a directory that cannot be used: they are removed when it can.
func (s *Store) Delete(ctx context.Context, refs ...recordings.Ref) error {
	if s.opts.ReadOnly {
		return ErrReadOnly
	}
	var rows []recordings.Segment
	for _, ref := range refs {
		row, err := s.opts.Index.Segment(ctx, ref, false)
		if errors.Is(err, index.ErrNotFound) || err == nil && row.Open {
			continue
		}
		if err != nil {
			return err
		}
		// It may have been locked since somebody decided to delete it.
		locks, err := s.opts.Index.Locks(ctx, row.Camera, row.Range())
		if err != nil {
			return err
		}
		if len(locks) == 0 {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	doomed := make([]recordings.Ref, 0, len(rows))
	for _, row := range rows {
		doomed = append(doomed, row.Ref)
	}
	if err := s.opts.Index.Tombstone(ctx, doomed...); err != nil {
		return err
	}
	return s.unlink(ctx, rows)
}

// unlink removes the files of tombstoned rows, then the rows.
func (s *Store) unlink(ctx context.Context, rows []recordings.Segment) error {
	var gone []recordings.Ref
	var failed error
	folders := make(map[string]*directory)
	for _, row := range rows {
		d, err := s.folderOf(row.Dir)
		if err != nil {
			continue // it may come back; the tombstone stays
		}
		if _, problem := d.room(); problem != nil {
			continue
		}
		name := filepath.Join(d.path, filepath.FromSlash(row.Path))
		if err := d.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
			continue
		}
		d.used(-row.Bytes)
		folders[filepath.Dir(name)] = d
		gone = append(gone, row.Ref)
	}
	for folder, d := range folders {
		if err := d.fs.SyncDir(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(failed, err) // the names may come back: the tombstones stay
		}
		d.prune(folder)
	}
	if len(gone) > 0 {
		failed = errors.Join(failed, s.opts.Index.Purge(ctx, gone...))
	}
	s.notify()
	return failed
}

// prune removes folders that became empty.
func (d *directory) prune(folder string) {
	for top := filepath.Join(d.path, mediaFolder); folder != top && d.fs.Remove(folder) == nil; {
		folder = filepath.Dir(folder)
	}
}
