package relay

import (
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/gate"
)

// throttle limits the requests of each address. It remembers nobody: addresses
// share a fixed number of limiters by a keyed hash, so that no crowd of forged
// senders makes it grow. Whoever shares one with a flood is not answered either,
// one address in 1,024. Safe for concurrent use.
type throttle struct {
	seed     maphash.Seed
	limiters [1024]*rate.Limiter
}

func newThrottle(l *Limits) *throttle {
	t := &throttle{seed: maphash.MakeSeed()}
	for i := range t.limiters {
		t.limiters[i] = rate.NewLimiter(rate.Limit(l.RequestsPerSecond), l.RequestBurst)
	}
	return t
}

func (t *throttle) allow(now time.Time, from netip.Addr) bool {
	i := maphash.Comparable(t.seed, gate.Prefix(from)) % uint64(len(t.limiters))
	return t.limiters[i].AllowN(now, 1)
}
