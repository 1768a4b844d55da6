package disk

import (
	"errors"
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// Options configure a Store. Dirs and Index are required.
type Options struct {
	// Dirs are the directories to write to. One that the index does not know is
	// made and bound to it; one that it knows must have its marker.
	Dirs []string
	// Index is the catalogue. The caller closes it, after the store.
	Index *index.Index
	// FS is where the directories are. Default: System.
	FS FS
	// ReadOnly changes nothing, beside the process that records: nothing is mended,
	// created or deleted. Index is open for reading only then.
	ReadOnly bool
	// SyncEvery is how often Run syncs by itself. Default 0: never; the caller
	// calls Sync.
	SyncEvery time.Duration
	// MinFree is how much room in bytes is left to others: below it a directory
	// counts as full. Default 64 MiB.
	MinFree int64
	// ProbeEvery is how often a directory that cannot be used is looked at again.
	// Default 10 s.
	ProbeEvery time.Duration
	// OnDurable is called after a sync with each stream that has more that is safe
	// from a power cut, and up to when. It must not block.
	OnDurable func(s recordings.Stream, until recordings.Time)
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

func (o *Options) setDefaults() error {
	if len(o.Dirs) == 0 {
		return errors.New("there is no directory for recordings; name one with --dir")
	}
	if o.Index == nil {
		return errors.New("a store needs an index")
	}
	if o.FS == nil {
		o.FS = System()
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.ProbeEvery <= 0 {
		o.ProbeEvery = 10 * time.Second
	}
	if o.OnDurable == nil {
		o.OnDurable = func(recordings.Stream, recordings.Time) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Errors that callers branch on.
var (
	// ErrNoDisk says that no directory can be written to.
	ErrNoDisk = errors.New("no directory for recordings can be written to")
	// ErrFull says that there is no room.
	ErrFull = errors.New("the disk for recordings is full")
	// ErrFailed says that a file could not be written, or not be promised to be.
	ErrFailed = errors.New("the disk for recordings failed")
	// ErrReadOnly says that the store was opened for reading.
	ErrReadOnly = errors.New("the recordings are open for reading only")
	// ErrClosed says that the store, or the segment, was closed.
	ErrClosed = errors.New("closed")
)
