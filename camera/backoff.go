package camera

import (
	"math/rand/v2"
	"time"
)

// backoff gives the waits between attempts: doubling from low to high, each
// taken at random from the upper half, so that many cameras that were lost
// together do not come back together.
type backoff struct {
	low, high time.Duration // constant
	next      time.Duration // upper bound of the next wait; 0 is low
}

// wait returns the time to wait before the next attempt.
func (b *backoff) wait() time.Duration {
	top := max(b.next, b.low)
	b.next = min(2*top, b.high)
	return top/2 + rand.N(top/2+1) //nolint:gosec // spreading load needs no secret randomness
}

func (b *backoff) reset() { b.next = 0 }
