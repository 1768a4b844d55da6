package index

import (
	"context"
	"database/sql"
)

// scan copies the columns of a row, as sql.Rows.Scan does.
type scan func(dest ...any) error

// view is a read of one state of the database.
type view struct {
	ask func(query string, args ...any) (*sql.Rows, error)
	// ended says that nobody waits for the answer any more, and why.
	ended func() error
}

// view calls read with one state of the database, whatever is written meanwhile.
func (x *Index) view(ctx context.Context, operation string, read func(v *view) error) error {
	x.open.RLock()
	defer x.open.RUnlock()
	if x.closed {
		return x.fail(operation, ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return x.fail(operation, err)
	}
	// The driver leaks a statement, and with it the state it reads, if it is
	// interrupted at the wrong moment; each looks at ctx between rows instead.
	detached := context.WithoutCancel(ctx)
	tx, err := x.readers.BeginTx(detached, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return x.fail(operation, err)
	}
	ask := func(query string, args ...any) (*sql.Rows, error) { return tx.QueryContext(detached, query, args...) }
	err = read(&view{ask, ctx.Err})
	if e := tx.Rollback(); err == nil {
		err = e
	}
	return x.fail(operation, err)
}

// each calls row for every row of the query.
func (v *view) each(query string, args []any, row func(scan scan) error) (err error) {
	rows, err := v.ask(query, args...)
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	for n := 0; rows.Next(); n++ {
		if n%256 == 255 {
			if err := v.ended(); err != nil {
				return err
			}
		}
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
