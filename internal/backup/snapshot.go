package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// entry is a folder or file of a state folder.
type entry struct {
	name     string // below the state folder, with slashes
	dir      bool
	modified time.Time
	data     []byte
}

// maxTries bounds how often a folder that changes is read.
const maxTries = 20

// errChanged says that something was replaced while the folder was read.
var errChanged = errors.New("the folder keeps changing while it is read; try again in a moment")

// snapshot reads a folder as it is at one moment. The programs that own it put
// files in place by renaming, so that each of them is whole, and only add to
// logs; whatever else happens makes it read everything again.
func snapshot(dir string, leave func(string, fs.DirEntry) bool) ([]entry, error) {
	for range maxTries {
		entries, err := readOnce(dir, leave)
		if !errors.Is(err, errChanged) {
			return entries, err
		}
	}
	return nil, errChanged
}

func readOnce(dir string, leave func(string, fs.DirEntry) bool) ([]entry, error) {
	before, names, err := look(dir, leave)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(names))
	total := 0
	for _, name := range names {
		e := entry{name: name, dir: before[name].IsDir(), modified: before[name].ModTime()}
		if !e.dir {
			if e.data, err = readFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return nil, err
			}
			if total += len(e.data); total > maxTotalSize {
				return nil, fmt.Errorf("%s holds more than %d MiB: is it the state folder?", dir, maxTotalSize>>20)
			}
		}
		entries = append(entries, e)
	}
	after, _, err := look(dir, leave)
	if err != nil {
		return nil, err
	}
	if !agree(before, after) {
		return nil, errChanged
	}
	return entries, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errChanged
	}
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("%s is larger than %d MiB: is this the state folder?", path, maxFileSize>>20)
	}
	return data, nil
}

// look lists what belongs into a backup, folders before what is in them.
// Sockets and hidden files, which are being written, do not.
func look(dir string, leave func(string, fs.DirEntry) bool) (map[string]fs.FileInfo, []string, error) {
	found := map[string]fs.FileInfo{}
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if path == dir {
			return err
		}
		name, relErr := filepath.Rel(dir, path)
		if err == nil {
			err = relErr
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return errChanged
		case err != nil:
			return err
		case strings.HasPrefix(d.Name(), "."), leave != nil && leave(path, d):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type() == fs.ModeSocket:
			return nil
		case !d.IsDir() && !d.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder; backups hold nothing else, so put the file itself there", path)
		}
		name = filepath.ToSlash(name)
		if !validName(name) {
			return fmt.Errorf("the name %q does not belong into a state folder; is %s one?", name, dir)
		}
		if len(names) == maxEntries {
			return fmt.Errorf("%s holds more than %d files: is it the state folder?", dir, maxEntries)
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return errChanged
		}
		found[name], names = info, append(names, name)
		return err
	})
	if err != nil && !errors.Is(err, errChanged) {
		return nil, nil, fmt.Errorf("look into the state folder: %w", err)
	}
	return found, names, err
}

// agree reports whether two looks saw the same files. A log may have grown: what
// was read of it is its beginning.
func agree(before, after map[string]fs.FileInfo) bool {
	if len(before) != len(after) {
		return false
	}
	for name, b := range before {
		a, ok := after[name]
		if !ok || a.IsDir() != b.IsDir() || !os.SameFile(a, b) {
			return false
		}
		if !a.IsDir() && (a.Size() < b.Size() || a.Size() == b.Size() && !a.ModTime().Equal(b.ModTime())) {
			return false
		}
	}
	return true
}
