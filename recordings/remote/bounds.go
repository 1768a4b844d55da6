package remote

import (
	"context"
	"sync/atomic"

	"golang.org/x/time/rate"
)

const (
	// maxKnown is how many different cameras of an agent are recorded by one process,
	// those that are gone included. maxID is how long their ids are at most.
	maxKnown = 256
	maxID    = 64
	// backfillRate is what the background takes from an agent at most, in bit/s, where
	// nothing else is said, and rateBurst how much of it at once, in bits.
	backfillRate = 50_000_000
	rateBurst    = 8 << 20
	leastBurst   = 32 << 10
	// fillsPerMinute and fillBurst are how many segments of an agent's cameras the
	// background begins, begunPerMinute and begunBurst how many live recording does
	// of each stream: agents say how their pictures follow each other.
	fillsPerMinute = 120
	fillBurst      = 60
	begunPerMinute = 10
	begunBurst     = 30
	// agentMemory bounds what is held of all cameras of an agent, unless each would
	// have less than leastMemory.
	agentMemory = 512 << 20
	leastMemory = 4 << 20
	// agentHoles bounds what is known to be missing of all of them, and agentJoins how
	// many lists are compared with the store at a time.
	agentHoles = 128 << 10
	agentJoins = 2
)

// bounds are what all cameras of one agent have together. Safe for concurrent use.
type bounds struct {
	// Constant.
	bits  *rate.Limiter // that the background takes
	fills *rate.Limiter // segments that it begins
	joins chan struct{} // places

	cameras atomic.Int64
	holes   atomic.Int64
}

func newBounds(bitRate int) *bounds {
	if bitRate <= 0 {
		bitRate = backfillRate
	}
	return &bounds{
		bits:  rate.NewLimiter(rate.Limit(bitRate), min(max(bitRate, leastBurst), rateBurst)),
		fills: rate.NewLimiter(rate.Limit(fillsPerMinute)/60, fillBurst),
		joins: make(chan struct{}, agentJoins),
	}
}

// memory returns what one camera may hold of what it may hold at most.
func (b *bounds) memory(most int64) int64 {
	each := max(agentMemory/max(b.cameras.Load(), 1), leastMemory)
	return min(most, each)
}

// join waits for a place to compare a list with the store; leave gives it back.
func (b *bounds) join(ctx context.Context) (leave func(), err error) {
	select {
	case b.joins <- struct{}{}:
		return func() { <-b.joins }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
