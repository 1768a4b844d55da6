package index

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that a caller may want to tell apart. The error that wraps them says what
// to do next.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not in the index")
	// ErrCorrupt: the file is damaged, or no database. It can be made again from
	// the recordings.
	ErrCorrupt = errors.New("the index is damaged")
	// ErrForeign: the file is a database of another program.
	ErrForeign = errors.New("the file is a database of another program")
	// ErrNewer: the file was written by a newer version of Sightline.
	ErrNewer = errors.New("the index was written by a newer version of Sightline")
	// ErrBusy: another process writes and did not end in time.
	ErrBusy = errors.New("another process is writing to the index")
	// ErrClosed: the index was closed.
	ErrClosed = errors.New("the index is closed")
)

// fail wraps what SQLite said with the file, the operation and, where there is one,
// the remedy.
func (x *Index) fail(operation string, err error) error { return fail(x.path, operation, err) }

func fail(path, operation string, err error) error {
	if err == nil {
		return nil
	}
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return fmt.Errorf("index %s: %s: %w", path, operation, err)
	}
	switch s.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return corrupt(path, operation, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("index %s: %s: %w; wait until it ends, or end it", path, operation, ErrBusy)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("index %s: %s: its disk is full; free some space there: %w", path, operation, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("index %s: %s: its disk failed to read or write; check the disk and the system's log: %w", path, operation, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("index %s: %s: the file cannot be written; check that it and its directory belong to the user who runs this: %w",
			path, operation, err)
	}
	return fmt.Errorf("index %s: %s: %w", path, operation, err)
}

// corrupt says how to get a good index again. Nothing is lost: it is made of files.
func corrupt(path, operation string, err error) error {
	return fmt.Errorf("index %s: %s: %w (%w); the recordings are not affected: make it again with: sightline recordings rebuild",
		path, operation, ErrCorrupt, err)
}
