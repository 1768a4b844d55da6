package index

import "errors"

// Errors that a caller may want to tell apart. The error that wraps them says what
// to do next.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("index: not found")
	// ErrCorrupt: the file is damaged, or no database. It can be made again from
	// the recordings.
	ErrCorrupt = errors.New("index: damaged")
	// ErrForeign: the file is a database of another program.
	ErrForeign = errors.New("index: of another program")
	// ErrNewer: the file was written by a newer version of Sightline.
	ErrNewer = errors.New("index: written by a newer version")
)
