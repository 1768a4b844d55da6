package disk

import (
	"io"
	"io/fs"
)

// FS is what a store needs of a file system; tests have one that forgets what was
// not synced. Names are those of the system. Errors wrap fs.ErrNotExist and the
// like as package os does.
type FS interface {
	// OpenFile opens a file as os.OpenFile does.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Mkdir makes one folder. One that exists is an error, fs.ErrExist.
	Mkdir(name string, perm fs.FileMode) error
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// Rename gives a file another name in the same folder, in place of what had it.
	Rename(from, to string) error
	// ReadDir lists a folder by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes what has a name.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error
	// Space returns what is free for us and what there is, in bytes.
	Space(name string) (free, total int64, err error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Truncate cuts the file off, or lengthens it by zeros.
	Truncate(size int64) error
	// Sync makes the content and the size durable. After an error nothing is known
	// of what was written since the last one that succeeded.
	Sync() error
	// Stat describes the file; os.SameFile tells whether a name still leads to it.
	Stat() (fs.FileInfo, error)
}
