//go:build unix

package agent

import (
	"io/fs"
	"syscall"
)

// inode tells a file apart from one that replaced it within the resolution of
// the modification time.
func inode(info fs.FileInfo) any {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return nil
}
