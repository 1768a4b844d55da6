package accesslog

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Options are the settings of a Log. The zero value works.
type Options struct {
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger gets what went wrong with the files. Default: discard.
	Logger *slog.Logger
}

// Head is the last line: its number and its hash. Zero before the first.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Log is an open log. Safe for concurrent use.
type Log struct{}

// Open opens the log in dir, or begins one. With dir "" it is kept in memory.
func Open(dir string, o Options) (*Log, error) { _, _ = dir, o; return &Log{}, nil }

// Add queues an entry; it never blocks.
func (l *Log) Add(e Entry) { _ = e }

// Flush waits until everything added before is written.
func (l *Log) Flush(ctx context.Context) error { return ctx.Err() }

// Head returns the last line that is on disk.
func (l *Log) Head() Head { return Head{} }

// Read returns up to limit lines after the one with a number.
func (l *Log) Read(after int64, limit int) (lines []string, floor int64, err error) {
	_, _ = after, limit
	return nil, 0, errors.New("not there yet")
}

// Close writes what is queued and stops. It waits for that. Idempotent.
func (l *Log) Close() error { return nil }

// Verify reports whether lines follow from a head, and returns the head after
// them.
func Verify(lines []string, from Head) (Head, error) { _ = lines; return from, nil }
