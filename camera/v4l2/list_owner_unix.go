//go:build unix

package v4l2

import (
	"io/fs"
	"os"
	"syscall"
)

// ownerOf returns the group of a file and the file's rights.
func ownerOf(name string) (gid int, mode fs.FileMode, ok bool) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Gid), info.Mode().Perm(), true
}
