package index

import (
	"context"
	"database/sql"
	"sync"
)

// Index is an open index. Safe for concurrent use.
type Index struct {
	// Constant after Open.
	path     string
	id       string
	readOnly bool
	writer   *sql.DB // one connection; nil if readOnly
	readers  *sql.DB
	names    *names

	// open is held for reading by every call, and for writing by Close.
	open   sync.RWMutex
	closed bool // guarded by open

	writing  sync.Mutex
	unsynced bool // guarded by writing: something is committed that may not be durable
}

// ID is the random name that the index got when it was made; the markers of its
// directories have it.
func (x *Index) ID() string { return x.id }

// Close writes everything out and closes the files. Idempotent; calls under way
// are waited for.
func (x *Index) Close() error {
	x.open.Lock()
	defer x.open.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	err := x.readers.Close()
	if x.writer != nil { // last, so that it empties the log
		if e := x.writer.Close(); err == nil {
			err = e
		}
	}
	return x.fail("close", err)
}

// Sync makes everything that was put before durable: one fsync of the log, none if
// nothing was.
func (x *Index) Sync(ctx context.Context) error {
	return x.update(ctx, "sync", durable, func(t *update) error {
		if !x.unsynced {
			return nil
		}
		// A commit syncs the log only if it wrote to it.
		return t.exec(`INSERT INTO meta (name, value) VALUES ('synced', '1')
			ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1`)
	})
}

// Clean reports what SetClean said last; false for a new index.
func (x *Index) Clean(ctx context.Context) (clean bool, err error) {
	err = x.view(ctx, "read whether it was closed in good order", func(v *view) error {
		return v.each(`SELECT value FROM meta WHERE name = 'clean'`, nil, func(scan scan) error {
			var value string
			err := scan(&value)
			clean = value == "yes"
			return err
		})
	})
	return clean, err
}

// SetClean notes durably whether the store was closed in good order.
func (x *Index) SetClean(ctx context.Context, clean bool) error {
	value := "no"
	if clean {
		value = "yes"
	}
	return x.update(ctx, "note whether it was closed in good order", durable, func(t *update) error {
		return t.exec(`INSERT INTO meta (name, value) VALUES ('clean', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1`, value)
	})
}
