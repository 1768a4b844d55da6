package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"
)

// maxWorkFactor is the most work that a file may ask for, as a power of two: one
// that asks for more is refused before it gets it.
const maxWorkFactor = 20

// MinPassphrase is the shortest passphrase that Backup takes, in bytes.
const MinPassphrase = 8

// Folder is the state folder of a device.
type Folder struct {
	// Path is where it is.
	Path string
	// Keys are the names of the files with identity keys, one of which must be
	// there.
	Keys []string
	// Leave reports whether a file, or a folder with everything in it, does not belong
	// into a backup. Default: all do.
	Leave func(path string, d fs.DirEntry) bool
	// Now is the clock, for names and dates. Default: time.Now.
	Now func() time.Time

	work int // of the passphrase; 0 is workFactor. For tests.
}

func (f Folder) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

// Backup writes the folder to w, encrypted with the passphrase. It works while
// programs use the folder.
func (f Folder) Backup(w io.Writer, passphrase string) error {
	if len(passphrase) < MinPassphrase {
		return fmt.Errorf("the passphrase is shorter than %d characters; whoever has the backup and guesses it has the device's key, so take a longer one", MinPassphrase)
	}
	if _, err := f.key(); err != nil {
		return err
	}
	entries, err := snapshot(f.Path, f.Leave)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e entry) bool { return slices.Contains(f.Keys, e.name) }) {
		return fmt.Errorf("%s: %w", f.Path, ErrNoKey)
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("encrypt the backup: %w", err)
	}
	to.SetWorkFactor(workFactor)
	if f.work != 0 {
		to.SetWorkFactor(f.work)
	}
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("encrypt the backup: %w", err)
	}
	if err := writeArchive(sealed, entries, f.now()); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// key returns the path of a key in the folder.
func (f Folder) key() (string, error) {
	for _, name := range f.Keys {
		path := filepath.Join(f.Path, name)
		switch _, err := os.Lstat(path); {
		case err == nil:
			return path, nil
		case !errors.Is(err, os.ErrNotExist):
			return "", fmt.Errorf("look into the state folder: %w", err)
		}
	}
	return "", fmt.Errorf("%s: %w; name the state folder with --state-dir", f.Path, ErrNoKey)
}

// open decrypts a backup. What it returns must be read to its end.
func open(r io.Reader, passphrase string) (io.Reader, error) {
	if passphrase == "" {
		return nil, ErrPassphrase
	}
	from, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	from.SetMaxWorkFactor(maxWorkFactor)
	plain, err := age.Decrypt(r, from)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, damaged(err)
	}
	return plain, nil
}
