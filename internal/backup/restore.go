package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Restored says what a restore did.
type Restored struct {
	// IDs are the names of the devices whose keys are back, in the order of
	// Folder.Keys; empty for a key that the backup does not have.
	IDs []identity.PeerID
	// MovedTo is where the folder that was there before is now; empty if there
	// was none.
	MovedTo string
}

// Restore reads a backup from r and puts it where the folder is, mode 0700 with
// files of mode 0600. A folder with a key in it is not touched, and the error
// wraps ErrOccupied, unless force is set; it is moved aside then. No program may
// use the folder meanwhile.
func (f Folder) Restore(r io.Reader, passphrase string, force bool) (done Restored, err error) {
	target, err := resolve(f.Path)
	if err != nil {
		return Restored{}, err
	}
	f.Path = target
	if path, err := f.key(); err == nil && !force {
		return Restored{}, fmt.Errorf("%w: %s; it would be another device after this. Restore elsewhere with --state-dir, or add --force, which moves the folder aside", ErrOccupied, path)
	} else if err != nil && !errors.Is(err, ErrNoKey) {
		return Restored{}, err
	}
	plain, err := open(r, passphrase)
	if err != nil {
		return Restored{}, err
	}
	parent := filepath.Dir(target)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return Restored{}, fmt.Errorf("make the folder above the state folder: %w", err)
	}
	staging, err := os.MkdirTemp(parent, "."+filepath.Base(target)+".restore-*") // mode 0700
	if err != nil {
		return Restored{}, fmt.Errorf("make a folder to restore into: %w", err)
	}
	defer func() {
		if !errors.Is(err, errStuck) {
			_ = os.RemoveAll(staging) // nothing is left of it after a success
		}
	}()
	if err := extract(plain, staging); err != nil {
		return Restored{}, err
	}
	ids, err := f.identities(staging)
	if err != nil {
		return Restored{}, err
	}
	moved, err := f.replace(staging)
	if err != nil {
		return Restored{}, err
	}
	return Restored{IDs: ids, MovedTo: moved}, nil
}

// resolve follows links to the state folder, so that the folder itself is
// exchanged.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w", err)
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w", err)
	}
	return real, nil
}

// extract writes an archive into an empty folder and syncs it.
func extract(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir) // a second guard beside validName
	if err != nil {
		return fmt.Errorf("open the folder to restore into: %w", err)
	}
	defer root.Close() //nolint:errcheck // only names were looked up
	dirs := []string{dir}
	err = readArchive(r, func(e entry, body io.Reader) error {
		name := filepath.FromSlash(e.name)
		if e.dir {
			dirs = append(dirs, filepath.Join(dir, name))
			if err := root.Mkdir(name, 0o700); err != nil {
				return fmt.Errorf("restore %s: %w", e.name, err)
			}
			return nil
		}
		if err := extractFile(root, name, body); err != nil {
			return fmt.Errorf("restore %s: %w", e.name, err)
		}
		if err := root.Chtimes(name, e.modified, e.modified); err != nil {
			return fmt.Errorf("restore %s: %w", e.name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(dirs) {
		if err := atomicfile.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

func extractFile(root *os.Root, name string, body io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Sync(), f.Close())
}

// identities reads the keys that were restored, before they are put in place.
func (f Folder) identities(dir string) ([]identity.PeerID, error) {
	ids := make([]identity.PeerID, len(f.Keys))
	found := false
	for i, name := range f.Keys {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		id, err := identity.LoadOrCreate(path)
		if err != nil {
			return nil, damaged(err)
		}
		ids[i], found = id.PeerID(), true
	}
	if !found {
		return nil, damaged(ErrNoKey)
	}
	return ids, nil
}

// replace puts the staged folder where the state folder is and returns where
// that is then.
func (f Folder) replace(staging string) (moved string, err error) {
	// Something may have made it meanwhile, with nothing in it or a key.
	if err := os.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		moved, err = freeName(f.Path + ".before-" + f.now().UTC().Format("20060102-150405"))
		if err != nil {
			return "", err
		}
		if err := exchange(staging, f.Path, moved); err != nil {
			return "", explainRename(f.Path, err)
		}
	} else if err := os.Rename(staging, f.Path); err != nil {
		return "", explainRename(f.Path, err)
	}
	return moved, atomicfile.SyncDir(filepath.Dir(f.Path))
}

// explainRename says what helps when a folder cannot be renamed.
func explainRename(path string, err error) error {
	return fmt.Errorf("put the restored folder in place of %s: %w. If that is a mount point, restore into a folder inside it with --state-dir, and start the camera with that one", path, err)
}

// freeName returns a name that is not taken.
func freeName(path string) (string, error) {
	for i := range 100 {
		name := path
		if i > 0 {
			name = fmt.Sprintf("%s-%d", path, i+1)
		}
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
	}
	return "", fmt.Errorf("there are a hundred folders like %s beside the state folder; remove some", strings.TrimSuffix(path, "/"))
}

// errStuck says that folders were renamed and could not be renamed back.
// Deleting any of them might delete the only copy.
var errStuck = errors.New("look at the folders beside the state folder: one of them is what was there before")

// swapByNames is exchange by two renames, the first of which is taken back if
// the second fails.
func swapByNames(staged, target, aside string) error {
	if err := os.Rename(target, aside); err != nil {
		return err
	}
	if err := os.Rename(staged, target); err != nil {
		if back := os.Rename(aside, target); back != nil {
			return errors.Join(err, back, errStuck)
		}
		return err
	}
	return nil
}
