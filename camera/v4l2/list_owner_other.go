//go:build !unix

package v4l2

import "io/fs"

func ownerOf(string) (gid int, mode fs.FileMode, ok bool) { return 0, 0, false }
