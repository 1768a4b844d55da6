package index

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// busyTimeoutMS is how long a call waits for another process, in milliseconds.
const busyTimeoutMS = 5000

// logBytes is what the log is cut down to when it starts anew; SQLite empties it
// into the database each 4 MB.
const logBytes = 8 << 20

// Open opens the index at the path, makes it if there is none, and brings one of
// an older version up to date. A file that is not ours is not touched. Errors:
// ErrCorrupt, ErrForeign, ErrNewer.
func Open(ctx context.Context, path string, o Options) (*Index, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("index: open: %w", err)
	}
	if o.Readers <= 0 {
		o.Readers = 2
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 512 << 10
	}
	ctx = context.WithoutCancel(ctx) // see Index.view
	x := &Index{path: path, readOnly: o.ReadOnly, names: newNames()}
	if x.readers, err = database(path, o.CacheBytes, false, min(o.Readers, 16)); err != nil {
		return nil, fail(path, "open", err)
	}
	if err := x.start(ctx, o); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *Index) start(ctx context.Context, o Options) error {
	version, err := 0, error(nil)
	stat, err := os.Stat(x.path)
	switch {
	case err == nil && stat.Size() > 0:
		if version, err = x.version(ctx); err != nil {
			return err
		}
	case o.ReadOnly && err == nil:
		return corrupt(x.path, "open", errors.New("it is empty"))
	case o.ReadOnly || err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("index: open: %w", err)
	}
	steps := migrations()
	if !o.ReadOnly {
		// SQLite would let others read it, and gives the log the same mode.
		if err := createPrivate(x.path); err != nil {
			return fmt.Errorf("index: open: %w; check that its directory is there and belongs to the user who runs this", err)
		}
		if x.writer, err = database(x.path, o.CacheBytes, true, 1); err != nil {
			return x.fail("open", err)
		}
		if err := x.migrate(ctx, version, steps, o.ID); err != nil {
			return x.fail(fmt.Sprintf("bring it from version %d to %d", version, len(steps)), err)
		}
	} else if version < len(steps) {
		return fmt.Errorf("index %s: open: it is of an older version; start the recorder once, which brings it up to date", x.path)
	}
	err = x.readers.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'id'`).Scan(&x.id)
	if errors.Is(err, sql.ErrNoRows) {
		return corrupt(x.path, "open", errors.New("it has no name"))
	}
	return x.fail("open", err)
}

// createPrivate makes an empty file that only its owner reads, if there is none.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// database returns a pool of connections; none is made yet.
func database(path string, cacheBytes int, writes bool, connections int) (*sql.DB, error) {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeoutMS),
		fmt.Sprintf("cache_size(-%d)", max(cacheBytes>>10, 16)),
		"temp_store(memory)",
		"trusted_schema(off)",
	}
	mode := "rw"
	if writes {
		mode = "rwc"
		pragmas = append(pragmas, "journal_mode(wal)", "synchronous(normal)", fmt.Sprintf("journal_size_limit(%d)", logBytes))
	} else {
		pragmas = append(pragmas, "query_only(1)")
	}
	values := url.Values{"_pragma": pragmas, "mode": {mode}}
	if writes {
		values.Set("_txlock", "immediate")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: values.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// version returns the version of the database, 0 for a new one.
func (x *Index) version(ctx context.Context) (int, error) {
	var application, version, tables int
	err := x.readers.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`).Scan(&application, &version, &tables)
	switch {
	case err != nil:
		return 0, x.fail("open", err)
	case application == 0 && version == 0 && tables == 0:
		return 0, nil
	case application != applicationID:
		return 0, fmt.Errorf("index %s: open: %w; move it away, or name another path for the index", x.path, ErrForeign)
	case version > len(migrations()):
		return 0, fmt.Errorf("index %s: open: %w (it is %d, this one knows %d); update Sightline, or make the index again with: sightline recordings rebuild",
			x.path, ErrNewer, version, len(migrations()))
	case version < 1:
		return 0, corrupt(x.path, "open", errors.New("it has no version"))
	}
	return version, nil
}

// migrate runs the steps from version on, all or none. A new index gets the id.
func (x *Index) migrate(ctx context.Context, version int, steps []string, id string) error {
	if version == len(steps) {
		return nil
	}
	return x.transact(ctx, durable, func(t *update) error {
		for _, step := range steps[version:] {
			if err := t.exec(step); err != nil {
				return err
			}
		}
		if version == 0 {
			if id == "" {
				id = strings.ToLower(rand.Text())
			}
			if err := t.exec(`INSERT INTO meta (name, value) VALUES ('id', ?)`, id); err != nil {
				return err
			}
		}
		return t.exec(fmt.Sprintf(`PRAGMA user_version = %d; PRAGMA application_id = %d`, len(steps), applicationID))
	})
}
