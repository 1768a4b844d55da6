package backup

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchange puts the folder staged in place of target, which is aside then. There
// is no moment without a folder at target, where the kernel and the file system
// can exchange two names at once (renameat2(2)).
func exchange(staged, target, aside string) error {
	swap := func() error {
		return unix.Renameat2(unix.AT_FDCWD, staged, unix.AT_FDCWD, target, unix.RENAME_EXCHANGE)
	}
	if swap() != nil {
		return swapByNames(staged, target, aside)
	}
	if err := os.Rename(staged, aside); err != nil {
		if back := swap(); back != nil {
			return errors.Join(err, back, errStuck)
		}
		return err
	}
	return nil
}
