package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dataSync is fdatasync: it makes the size durable too, where it changed.
func dataSync(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var synced error
	err = c.Control(func(fd uintptr) {
		for {
			if synced = unix.Fdatasync(int(fd)); !errors.Is(synced, unix.EINTR) {
				return
			}
		}
	})
	if err == nil && synced != nil {
		err = &os.PathError{Op: "fdatasync", Path: f.Name(), Err: synced}
	}
	return err
}

func space(name string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(name, &st); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: name, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil //nolint:unconvert // their types differ by platform
}
