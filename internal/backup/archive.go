package backup

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"
)

const (
	manifestName = "sightline-backup.json"
	maxManifest  = 4 << 10
	// maxPadding bounds what may follow the archive's end: zeros, by which tar
	// fills its last record.
	maxPadding = 64 << 10
	version    = 1
)

// manifest begins every backup. Later versions may add to it.
type manifest struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
}

// writeArchive writes the entries as a tar archive.
func writeArchive(w io.Writer, entries []entry, now time.Time) error {
	text, err := json.Marshal(manifest{Version: version, Created: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, e := range append([]entry{{name: manifestName, data: text, modified: now}}, entries...) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: 0o600, Size: int64(len(e.data)), ModTime: e.modified.Truncate(time.Second), Format: tar.FormatPAX}
		if e.dir {
			h.Typeflag, h.Name, h.Mode = tar.TypeDir, e.name+"/", 0o700
		}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
		if _, err := t.Write(e.data); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// readArchive gives put every entry of an archive, without its data, in order,
// and reads to the very end. What put returns is returned; anything wrong with
// the archive wraps ErrDamaged. put reads the data of a file from body.
func readArchive(r io.Reader, put func(e entry, body io.Reader) error) error {
	t := tar.NewReader(r)
	if err := readManifest(t); err != nil {
		return err
	}
	seen := map[string]bool{".": true} // true for folders
	left := int64(maxTotalSize)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return onlyPadding(r)
		}
		if err != nil {
			return damaged(err)
		}
		e, err := checked(h)
		if err != nil {
			return err
		}
		if _, twice := seen[e.name]; twice || e.name == manifestName {
			return damaged(fmt.Errorf("%q stands in it twice", e.name))
		}
		if !seen[path.Dir(e.name)] {
			return damaged(fmt.Errorf("%q is in no folder", e.name))
		}
		if len(seen) > maxEntries {
			return damaged(errors.New("it holds too many files"))
		}
		if left -= h.Size; left < 0 || h.Size > maxFileSize {
			return damaged(fmt.Errorf("%q is too large", e.name))
		}
		seen[e.name] = e.dir
		if err := put(e, &body{r: t}); err != nil {
			return err
		}
	}
}

func readManifest(t *tar.Reader) error {
	h, err := t.Next()
	if err != nil {
		return damaged(err)
	}
	if h.Name != manifestName || h.Typeflag != tar.TypeReg || h.Size > maxManifest {
		return damaged(errors.New("it does not begin like one of Sightline's"))
	}
	var m manifest
	text, err := io.ReadAll(t)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return damaged(err)
	}
	if m.Version != version {
		return fmt.Errorf("this backup has the form of version %d, and this program knows version %d; use a newer one", m.Version, version)
	}
	return nil
}

// checked returns the entry of a header, if it is one that belongs here.
func checked(h *tar.Header) (entry, error) {
	e := entry{name: h.Name, dir: h.Typeflag == tar.TypeDir, modified: h.ModTime}
	switch {
	case h.Typeflag != tar.TypeReg && !e.dir:
		return e, damaged(fmt.Errorf("%q is neither a file nor a folder", h.Name))
	case h.Linkname != "" || h.Size < 0 || e.dir && h.Size != 0:
		return e, damaged(fmt.Errorf("%q is not what it says", h.Name))
	}
	if n := len(e.name); e.dir && n > 0 && e.name[n-1] == '/' {
		e.name = e.name[:n-1]
	}
	if !validName(e.name) {
		return e, damaged(fmt.Errorf("the name %q does not belong into a state folder", h.Name))
	}
	return e, nil
}

// onlyPadding reads the rest, by which the end of the file is authenticated.
func onlyPadding(r io.Reader) error {
	rest, err := io.ReadAll(io.LimitReader(r, maxPadding+1))
	if err != nil {
		return damaged(err)
	}
	if len(rest) > maxPadding {
		return damaged(errors.New("it goes on behind its end"))
	}
	for _, b := range rest {
		if b != 0 {
			return damaged(errors.New("it goes on behind its end"))
		}
	}
	return nil
}

// body is the data of one file.
type body struct{ r io.Reader }

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged(err)
	}
	return n, err
}

// damaged says why a backup cannot be read.
func damaged(why error) error {
	if errors.Is(why, ErrDamaged) {
		return why
	}
	return fmt.Errorf("%w (%w)", ErrDamaged, why)
}
