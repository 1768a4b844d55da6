package spool

import (
	"io"
	"os"

	"github.com/sightline-cam/sightline/internal/atomicfile"
)

// filer is the file system, as far as a spool needs it.
type filer interface {
	// List makes the folder if it is not there and returns the names in it.
	List(dir string) ([]string, error)
	// Create makes a file that must not be there yet, and makes its name durable.
	Create(dir, path string) (file, error)
	Open(path string) (readable, error)
	Remove(path string) error
}

// file is one that is being written.
type file interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
	Close() error
}

type readable interface {
	io.ReaderAt
	Size() (int64, error)
	Close() error
}

// system is the operating system's.
type system struct{}

// List implements filer.
func (system) List(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Create implements filer.
func (system) Create(dir, path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.SyncDir(dir); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Open implements filer.
func (system) Open(path string) (readable, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return reader{f}, nil
}

// Remove implements filer.
func (system) Remove(path string) error { return os.Remove(path) }

type reader struct{ *os.File }

// Size implements readable.
func (r reader) Size() (int64, error) {
	info, err := r.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
