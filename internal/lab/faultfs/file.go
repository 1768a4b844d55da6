package faultfs

import (
	"io"
	"io/fs"
	"path/filepath"
	"syscall"
)

// file is an open file.
type file struct {
	fs   *FS
	node *node
	name string
}

// ReadAt implements disk.File.
func (h *file) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off {
		return 0, failed("read", h.name, ErrStopped)
	}
	if off >= int64(len(h.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements disk.File.
func (h *file) WriteAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	last, err := h.fs.begin()
	if last {
		h.node.write(p[:len(p)/2], off) // the system got half of it
	}
	if err != nil {
		return 0, failed("write", h.name, err)
	}
	if f := h.fs.faults.Write; f != nil {
		if err := f(h.name); err != nil {
			h.node.write(p[:len(p)/2], off)
			return len(p) / 2, failed("write", h.name, err)
		}
	}
	if room := h.fs.faults.Room; room > 0 {
		if grows := off + int64(len(p)) - int64(len(h.node.data)); grows > 0 && h.fs.used+grows > room {
			fits := max(min(int64(len(p)), int64(len(p))-(h.fs.used+grows-room)), 0)
			h.grow(off + fits)
			h.node.write(p[:fits], off)
			return int(fits), failed("write", h.name, syscall.ENOSPC)
		}
	}
	h.grow(off + int64(len(p)))
	h.node.write(p, off)
	return len(p), nil
}

// grow counts what the file takes once it is size long.
func (h *file) grow(size int64) {
	if by := size - int64(len(h.node.data)); by > 0 {
		h.fs.used += by
	}
}

// Truncate implements disk.File.
func (h *file) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if _, err := h.fs.begin(); err != nil {
		return failed("truncate", h.name, err)
	}
	h.fs.used += size - int64(len(h.node.data))
	h.node.truncate(size)
	return nil
}

// Sync implements disk.File. After an error what was written is gone from the disk
// and still in memory, as on Linux.
func (h *file) Sync() error {
	h.fs.hangs(h.name)
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if _, err := h.fs.begin(); err != nil {
		return failed("sync", h.name, err)
	}
	if f := h.fs.faults.Sync; f != nil {
		if err := f(h.name); err != nil {
			h.node.pending = nil
			return failed("sync", h.name, err)
		}
	}
	h.node.sync()
	return nil
}

// Close implements disk.File.
func (h *file) Close() error { return nil }

// Stat implements disk.File.
func (h *file) Stat() (fs.FileInfo, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off {
		return nil, failed("stat", h.name, ErrStopped)
	}
	return h.node.info(filepath.Base(h.name)), nil
}
