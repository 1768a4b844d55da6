package spool

import (
	"log/slog"
	"time"
)

// Options bound a Spool. The zero value keeps 8 MiB of each rendition in memory.
type Options struct {
	// MemoryBytes bounds what is in memory of each rendition, the group of pictures
	// in progress included. Default 8 MiB.
	MemoryBytes int64
	// Dir is the camera's own folder on disk; it is made if it is not there. Default:
	// memory only, and everything is gone with the process.
	Dir string
	// DiskBytes bounds the files there. Default 1 GiB, at least 4 MiB.
	DiskBytes int64
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger

	files filer // for tests; nil is the system's
}

const (
	defaultMemory = 8 << 20
	defaultDisk   = 1 << 30
	minDisk       = 4 << 20

	// look is how often the hubs are looked at: before they let go of a frame, even
	// of sound in frames of 10 ms.
	look = 400 * time.Millisecond
	// syncEvery is how much a power cut may take, beside what was not complete.
	syncEvery = 5 * time.Second
	// retryDisk is how long a disk that failed is left alone.
	retryDisk = time.Minute
)

func (o *Options) setDefaults() {
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = defaultMemory
	}
	if o.DiskBytes <= 0 {
		o.DiskBytes = defaultDisk
	}
	o.DiskBytes = max(o.DiskBytes, minDisk)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.files == nil {
		o.files = system{}
	}
}
