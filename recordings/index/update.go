package index

import (
	"context"
	"database/sql"
	"errors"
)

// durability is what a commit promises.
type durability bool

const (
	// relaxed: it survives the end of the process.
	relaxed durability = false
	// durable: it survives a power cut, and so does everything committed before.
	durable durability = true
)

// errReadOnly is what a method says that would change an index opened ReadOnly.
var errReadOnly = errors.New("the index was opened for reading only")

// update is a transaction that writes; it reads its own writes.
type update struct {
	view
	do func(query string, args ...any) (sql.Result, error)
}

// update calls write in a transaction, of which all or nothing is kept. Once begun
// it ends, also if ctx does.
func (x *Index) update(ctx context.Context, operation string, d durability, write func(t *update) error) error {
	x.open.RLock()
	defer x.open.RUnlock()
	if x.closed {
		return x.fail(operation, ErrClosed)
	}
	if x.readOnly {
		return x.fail(operation, errReadOnly)
	}
	if err := ctx.Err(); err != nil {
		return x.fail(operation, err)
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.transact(context.WithoutCancel(ctx), d, write); err != nil {
		x.names.forget() // some of them may never have been committed
		return x.fail(operation, err)
	}
	x.unsynced = d == relaxed
	return nil
}

func (x *Index) transact(ctx context.Context, d durability, write func(t *update) error) (err error) {
	if d == durable {
		if _, err := x.writer.ExecContext(ctx, `PRAGMA synchronous = FULL`); err != nil {
			return err
		}
		defer func() {
			if _, e := x.writer.ExecContext(ctx, `PRAGMA synchronous = NORMAL`); err == nil {
				err = e
			}
		}()
	}
	tx, err := x.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	ask := func(query string, args ...any) (*sql.Rows, error) { return tx.QueryContext(ctx, query, args...) }
	do := func(query string, args ...any) (sql.Result, error) { return tx.ExecContext(ctx, query, args...) }
	if err = write(&update{view{ask, ctx.Err}, do}); err == nil {
		err = tx.Commit()
	} else {
		_ = tx.Rollback()
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself, after others of a commit
		// it has not: then the connection could never begin anything again.
		_, _ = x.writer.ExecContext(ctx, `ROLLBACK`)
	}
	return err
}

func (t *update) exec(query string, args ...any) error {
	_, err := t.do(query, args...)
	return err
}

// insert returns the key of the row.
func (t *update) insert(query string, args ...any) (int64, error) {
	result, err := t.do(query, args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}
