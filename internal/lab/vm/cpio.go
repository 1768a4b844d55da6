//go:build linux

package vm

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// archive is an initial RAM disk: a cpio archive in the "newc" format, which the
// kernel unpacks as the machine's files (Documentation/driver-api/early-userspace/
// buffer-format.rst). It is not packed: emulated, that would take longer.
type archive struct {
	buf  bytes.Buffer
	dirs []string
	n    int
}

// Types of files, as in st_mode.
const (
	modeDir  = 0o040000
	modeFile = 0o100000
)

// add adds a file; folders above it are made.
func (a *archive) add(name string, mode uint32, data []byte) {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	a.addDir(path.Dir(name))
	a.entry(name, modeFile|mode&0o7777, data)
}

// addDir adds a folder and those above it.
func (a *archive) addDir(name string) {
	if name == "." || name == "/" || slices.Contains(a.dirs, name) {
		return
	}
	a.addDir(path.Dir(name))
	a.dirs = append(a.dirs, name)
	a.entry(name, modeDir|0o755, nil)
}

func (a *archive) entry(name string, mode uint32, data []byte) {
	a.n++
	links := 1
	if mode&modeDir != 0 {
		links = 2
	}
	// Magic, inode, mode, user, group, links, time, size, device, device's own
	// number, length of the name with its NUL, checksum.
	fmt.Fprintf(&a.buf, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.n, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	a.buf.WriteString(name)
	a.buf.WriteByte(0)
	a.pad()
	a.buf.Write(data)
	a.pad()
}

// pad fills up to a multiple of four bytes.
func (a *archive) pad() {
	for a.buf.Len()%4 != 0 {
		a.buf.WriteByte(0)
	}
}

// bytes ends the archive and returns it.
func (a *archive) bytes() []byte {
	a.entry("TRAILER!!!", 0, nil)
	return a.buf.Bytes()
}
