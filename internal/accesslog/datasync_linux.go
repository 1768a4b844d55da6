package accesslog

import (
	"os"
	"syscall"
)

// datasync makes what was written to f durable. That a file was last changed
// when is not worth another write.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
