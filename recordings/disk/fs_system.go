package disk

import (
	"errors"
	"io/fs"
	"os"
)

// systemFS is the system's own file system.
type systemFS struct{}

// System returns the system's file system.
func System() FS { return systemFS{} }

// OpenFile implements FS.
func (systemFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

// Mkdir implements FS.
func (systemFS) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// Remove implements FS.
func (systemFS) Remove(name string) error { return os.Remove(name) }

// Rename implements FS.
func (systemFS) Rename(from, to string) error { return os.Rename(from, to) }

// ReadDir implements FS.
func (systemFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Stat implements FS.
func (systemFS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// SyncDir implements FS.
func (systemFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Space implements FS.
func (systemFS) Space(name string) (free, total int64, err error) { return space(name) }

// systemFile is a file of the system.
type systemFile struct{ *os.File }

// Sync implements File: the times of the file may wait.
func (f systemFile) Sync() error { return dataSync(f.File) }
