package index

import (
	"context"
	"errors"
	"path/filepath"
)

var errDirectory = errors.New("a directory needs an id and an absolute path")

// Directory is one that segments lie in.
type Directory struct {
	// ID is what the directory's marker says.
	ID string
	// Path is where it was bound to, absolute; empty if it is not Bound.
	Path  string
	Bound bool
}

// Directories returns all that were ever bound, or have segments, by id.
func (x *Index) Directories(ctx context.Context) (dirs []Directory, err error) {
	err = x.view(ctx, "list directories", func(v *view) error {
		return v.each(`SELECT id, path FROM directories ORDER BY id`, nil, func(scan scan) error {
			var d Directory
			if err := scan(&d.ID, &d.Path); err != nil {
				return err
			}
			d.Bound = d.Path != ""
			dirs = append(dirs, d)
			return nil
		})
	})
	return dirs, err
}

// BindDirectory notes durably that the directory with this id is at the path,
// which is absolute. Another that was bound to the path is bound no longer.
func (x *Index) BindDirectory(ctx context.Context, id, path string) error {
	return x.update(ctx, "bind directory "+path, durable, func(t *update) error {
		if id == "" || !filepath.IsAbs(path) {
			return errDirectory
		}
		if err := t.exec(`UPDATE directories SET path = '' WHERE path = ? AND id <> ?`, path, id); err != nil {
			return err
		}
		return t.exec(`INSERT INTO directories (id, path) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET path = ?2`, id, path)
	})
}

// Used is how many bytes of the directory the segments take that are not
// tombstoned; 0 if nothing is known of it.
func (x *Index) Used(ctx context.Context, dir string) (used int64, err error) {
	err = x.view(ctx, "add up directory "+dir, func(v *view) error {
		return v.each(`SELECT coalesce(sum(bytes), 0) FROM totals WHERE dir = (SELECT key FROM directories WHERE id = ?)`,
			[]any{dir}, func(scan scan) error { return scan(&used) })
	})
	return used, err
}
