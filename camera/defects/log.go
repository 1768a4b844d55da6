// Package defects tells the operator of what goes wrong in a camera's stream
// without ending it: rarely, and with numbers.
package defects

import (
	"log/slog"
	"time"
)

// every is how often a kind of defect is worth a line.
const every = time.Minute

// Log counts defects and writes a line of each kind at most once a minute. Not safe
// for concurrent use.
type Log struct {
	logger *slog.Logger
	kinds  map[string]*kind // by constant texts, so the map stays small
}

type kind struct {
	total, unlogged uint64
	logged          time.Time
}

// New returns a log that writes to logger.
func New(logger *slog.Logger) *Log {
	return &Log{logger: logger, kinds: make(map[string]*kind)}
}

// Count adds n of a kind; what is a constant text. last is an example, with no
// secret in it; it may be empty.
func (l *Log) Count(what string, n uint64, last string, now time.Time) {
	k := l.kinds[what]
	if k == nil {
		k = &kind{}
		l.kinds[what] = k
	}
	k.total += n
	k.unlogged += n
	if !k.logged.IsZero() && now.Sub(k.logged) < every {
		return
	}
	attrs := []any{"what", what, "new", k.unlogged, "total", k.total}
	if last != "" {
		attrs = append(attrs, "last", last)
	}
	l.logger.Warn("the camera's stream has defects", attrs...)
	k.logged, k.unlogged = now, 0
}
