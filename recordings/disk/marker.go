package disk

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sightline-cam/sightline/internal/strictjson"
)

// MarkerFile is the name of the file by which a directory of recordings is known.
const MarkerFile = "sightline.json"

const (
	markerVersion = 1
	maxMarker     = 4 << 10
)

// marker is the file by which a directory is recognized. A disk that is not
// mounted has none, and another's has another's.
type marker struct {
	// Directory is the id of the directory, Index that of the index it belongs to.
	Directory string `json:"directory"`
	Index     string `json:"index"`
	Version   int    `json:"version"`
}

func newMarker(index string) marker {
	return marker{Directory: rand.Text()[:16], Index: index, Version: markerVersion}
}

// readMarker returns fs.ErrNotExist if there is none.
func readMarker(fsys FS, dir string) (marker, error) {
	var m marker
	data, err := readAll(fsys, filepath.Join(dir, MarkerFile), maxMarker)
	if err != nil {
		return m, err
	}
	if err := strictjson.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s is damaged; `sightline recordings rebuild` writes it anew: %w", filepath.Join(dir, MarkerFile), err)
	}
	switch {
	case m.Version > markerVersion:
		return m, fmt.Errorf("%s was written by a newer version of Sightline; use that", filepath.Join(dir, MarkerFile))
	case m.Directory == "" || m.Index == "" || m.Version < 1:
		return m, fmt.Errorf("%s is damaged; `sightline recordings rebuild` writes it anew", filepath.Join(dir, MarkerFile))
	}
	return m, nil
}

// writeMarker puts the marker there whole and durably, or not at all.
func writeMarker(fsys FS, dir string, m marker) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeFile(fsys, filepath.Join(dir, MarkerFile), append(data, '\n'))
}

// writeFile replaces a file, durably.
func writeFile(fsys FS, name string, data []byte) (err error) {
	tmp := name + ".tmp"
	f, err := fsys.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, fsys.Remove(tmp))
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// readAll reads a file of at most limit bytes.
func readAll(fsys FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	var b bytes.Buffer
	n, err := io.Copy(&b, io.NewSectionReader(f, 0, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return b.Bytes(), nil
}

// makeFolders makes a folder and those above it up to root, which is there, and
// returns the folders whose names have to be synced, innermost first.
func makeFolders(fsys FS, root, dir string) (changed []string, err error) {
	if dir == root {
		return nil, nil
	}
	err = fsys.Mkdir(dir, 0o750)
	switch {
	case err == nil:
		return []string{filepath.Dir(dir)}, nil
	case errors.Is(err, fs.ErrExist):
		return nil, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	above, err := makeFolders(fsys, root, filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	if err := fsys.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return append([]string{filepath.Dir(dir)}, above...), nil
}
