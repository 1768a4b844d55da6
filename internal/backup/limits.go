package backup

import (
	"io/fs"
	"strings"
	"unicode"
)

// Limits of a backup. A state folder has some twenty files; the access log is
// the largest, with 32 MiB.
const (
	maxEntries   = 4096
	maxDepth     = 8
	maxName      = 255       // bytes, of a whole path
	maxFileSize  = 64 << 20  // bytes
	maxTotalSize = 256 << 20 // bytes
)

// validName reports whether name is a path below a state folder: slashes between
// its elements, none of them hidden. Hidden files are those being written.
func validName(name string) bool {
	if !fs.ValidPath(name) || len(name) > maxName || strings.Count(name, "/") >= maxDepth {
		return false
	}
	for element := range strings.SplitSeq(name, "/") {
		if element[0] == '.' {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r == '\\' || r == ':' || r == unicode.ReplacementChar || !unicode.IsPrint(r)
	})
}
