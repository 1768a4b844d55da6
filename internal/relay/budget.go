package relay

import (
	"sync/atomic"
	"time"
)

// budget is what may be relayed in one day of UTC. A packet at midnight may
// count for either day.
type budget struct {
	limit int64 // bytes; constant

	day   atomic.Int64 // since 1970
	spent atomic.Int64 // bytes
	told  atomic.Bool  // that it is spent
}

// spend takes n bytes. It reports whether they were left; first is true once a
// day, when they were not.
func (b *budget) spend(now time.Time, n int) (ok, first bool) {
	b.turn(now)
	if b.spent.Add(int64(n)) > b.limit {
		return false, b.told.CompareAndSwap(false, true)
	}
	return true, false
}

// left reports whether something is left.
func (b *budget) left(now time.Time) bool {
	b.turn(now)
	return b.spent.Load() < b.limit
}

// untouched reports whether nothing is spent.
func (b *budget) untouched(now time.Time) bool {
	b.turn(now)
	return b.spent.Load() == 0
}

// turn begins a new day.
func (b *budget) turn(now time.Time) {
	today := now.Unix() / 86400
	if day := b.day.Load(); day != today && b.day.CompareAndSwap(day, today) {
		b.spent.Store(0)
		b.told.Store(false)
	}
}
