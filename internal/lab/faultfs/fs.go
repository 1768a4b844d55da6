package faultfs

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/sightline-cam/sightline/recordings/disk"
)

// ErrStopped is what every call returns once the machine has lost power.
var ErrStopped = errors.New("faultfs: the power is off")

// Faults say what goes wrong. The zero value is a file system where nothing does.
type Faults struct {
	// StopAt is the number of the operation at which the power goes off, counted
	// from 1; 0 is never. A write that is stopped is torn.
	StopAt int
	// Room is how many bytes of content there is room for; 0 is without end.
	Room int64
	// Write and Sync fail where they return an error. They get the file's name.
	Write, Sync func(name string) error
	// ReadOnly refuses every change, as a disk that was remounted does.
	ReadOnly bool
}

// FS implements disk.FS. Safe for concurrent use.
type FS struct {
	mu     sync.Mutex // guards everything below the root too
	root   *node
	faults Faults
	ops    int
	off    bool
	used   int64
	hang   func(name string)
	bad    map[string]bool // folders that cannot be read
}

var _ disk.FS = (*FS)(nil)

// New returns an empty file system.
func New(f Faults) *FS { return &FS{root: newFolder(), faults: f} }

// SetFaults replaces what goes wrong. Operations are counted on.
func (f *FS) SetFaults(to Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = to
}

// SetHang has every sync of a file call hang first, which may take its time.
func (f *FS) SetHang(hang func(name string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = hang
}

// SetBadFolder makes a folder one that cannot be read.
func (f *FS) SetBadFolder(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad == nil {
		f.bad = make(map[string]bool)
	}
	f.bad[name] = true
}

func (f *FS) hangs(name string) {
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		hang(name)
	}
}

// Ops returns how many operations that change something there were.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// begin counts an operation that changes something. last says that the power goes
// off in the middle of it.
func (f *FS) begin() (last bool, err error) {
	if f.off {
		return false, ErrStopped
	}
	if f.faults.ReadOnly {
		return false, syscall.EROFS
	}
	f.ops++
	if f.ops == f.faults.StopAt {
		f.off = true
		return true, ErrStopped
	}
	return false, nil
}

func split(name string) []string {
	return strings.FieldsFunc(filepath.ToSlash(name), func(r rune) bool { return r == '/' })
}

// find returns the node with a name.
func (f *FS) find(name string) (*node, error) {
	n := f.root
	for _, part := range split(name) {
		if n.names == nil {
			return nil, syscall.ENOTDIR
		}
		next, ok := n.names[part]
		if !ok {
			return nil, fs.ErrNotExist
		}
		n = next
	}
	return n, nil
}

// parent returns the folder that a name is in.
func (f *FS) parent(name string) (dir *node, base string, err error) {
	dir, err = f.find(filepath.Dir(name))
	if err == nil && dir.names == nil {
		err = syscall.ENOTDIR
	}
	return dir, filepath.Base(name), err
}

func failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// OpenFile implements disk.FS.
func (f *FS) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.open(name, flag)
	if err != nil {
		return nil, failed("open", name, err)
	}
	return &file{fs: f, node: n, name: name}, nil
}

func (f *FS) open(name string, flag int) (*node, error) {
	if f.off {
		return nil, ErrStopped
	}
	dir, base, err := f.parent(name)
	if err != nil {
		return nil, err
	}
	n, ok := dir.names[base]
	switch {
	case ok && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case ok && n.names != nil:
		return nil, syscall.EISDIR
	case !ok && flag&os.O_CREATE == 0:
		return nil, fs.ErrNotExist
	case !ok:
		if _, err := f.begin(); err != nil {
			return nil, err
		}
		n = &node{}
		dir.set(base, n)
	case flag&os.O_TRUNC != 0:
		if _, err := f.begin(); err != nil {
			return nil, err
		}
		n.truncate(0)
	}
	return n, nil
}

// Mkdir implements disk.FS.
func (f *FS) Mkdir(name string, _ fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, base, err := f.parent(name)
	if err != nil {
		return failed("mkdir", name, err)
	}
	if _, ok := dir.names[base]; ok {
		return failed("mkdir", name, fs.ErrExist)
	}
	if _, err := f.begin(); err != nil {
		return failed("mkdir", name, err)
	}
	dir.set(base, newFolder())
	return nil
}

// Remove implements disk.FS.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, base, err := f.parent(name)
	if err != nil {
		return failed("remove", name, err)
	}
	n, ok := dir.names[base]
	switch {
	case !ok:
		return failed("remove", name, fs.ErrNotExist)
	case len(n.names) > 0:
		return failed("remove", name, syscall.ENOTEMPTY)
	}
	if _, err := f.begin(); err != nil {
		return failed("remove", name, err)
	}
	f.used -= int64(len(n.data))
	dir.set(base, nil)
	return nil
}

// Rename implements disk.FS.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, base, err := f.parent(from)
	if err != nil {
		return failed("rename", from, err)
	}
	n, ok := dir.names[base]
	if !ok || filepath.Dir(from) != filepath.Dir(to) {
		return failed("rename", from, fs.ErrNotExist)
	}
	if _, err := f.begin(); err != nil {
		return failed("rename", from, err)
	}
	dir.rename(base, filepath.Base(to), n)
	return nil
}

// ReadDir implements disk.FS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil, failed("open", name, ErrStopped)
	}
	n, err := f.find(name)
	if err == nil && f.bad[name] {
		err = syscall.EIO
	}
	if err != nil {
		return nil, failed("open", name, err)
	}
	var out []fs.DirEntry
	for base, child := range n.names {
		out = append(out, fs.FileInfoToDirEntry(child.info(base)))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return out, nil
}

// Stat implements disk.FS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil, failed("stat", name, ErrStopped)
	}
	n, err := f.find(name)
	if err != nil {
		return nil, failed("stat", name, err)
	}
	return n.info(filepath.Base(name)), nil
}

// SyncDir implements disk.FS.
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find(name)
	if err != nil {
		return failed("sync", name, err)
	}
	if _, err := f.begin(); err != nil {
		return failed("sync", name, err)
	}
	if f.faults.Sync != nil {
		if err := f.faults.Sync(name); err != nil {
			return failed("sync", name, err)
		}
	}
	n.syncNames()
	return nil
}

// Space implements disk.FS.
func (f *FS) Space(string) (free, total int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return 0, 0, ErrStopped
	}
	const endless = 1 << 50
	if f.faults.Room == 0 {
		return endless, endless, nil
	}
	return max(f.faults.Room-f.used, 0), f.faults.Room, nil
}

// Used returns how many bytes the contents of all files take.
func (f *FS) Used() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used
}

// RemoveAll removes a folder with everything in it, as somebody else would, without
// asking whether it is in use. It is not an operation, and durable at once.
func (f *FS) RemoveAll(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if dir, base, err := f.parent(name); err == nil {
		dir.set(base, nil)
		dir.syncNames()
	}
}
