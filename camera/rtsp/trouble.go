package rtsp

import (
	"log/slog"
	"time"
)

// troubles counts what goes wrong without ending a connection and writes a log
// line of each kind at most once a minute.
type troubles struct {
	logger *slog.Logger
	addr   *address
	kinds  map[string]*trouble // by constant texts, so the map stays small
}

type trouble struct {
	total, unlogged uint64
	logged          time.Time
}

const logTroubleEvery = time.Minute

// count adds n of a kind. err may be nil.
func (t *troubles) count(what string, n uint64, err error, now time.Time) {
	if t.kinds == nil {
		t.kinds = make(map[string]*trouble)
	}
	k := t.kinds[what]
	if k == nil {
		k = &trouble{}
		t.kinds[what] = k
	}
	k.total += n
	k.unlogged += n
	if !k.logged.IsZero() && now.Sub(k.logged) < logTroubleEvery {
		return
	}
	attrs := []any{"what", what, "new", k.unlogged, "total", k.total}
	if err != nil {
		attrs = append(attrs, "last", t.addr.redact(err.Error()))
	}
	t.logger.Warn("the camera's stream has defects", attrs...)
	k.logged, k.unlogged = now, 0
}
