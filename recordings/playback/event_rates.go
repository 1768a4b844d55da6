package playback

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many events a camera may have: a sensor that is stuck must not fill the disk.
const (
	eventEvery = time.Second
	eventBurst = 60
)

// eventRates is what is left to each camera. Its memory is bounded by the number of
// cameras. Safe for concurrent use.
type eventRates struct {
	mu       sync.Mutex // guards what follows
	byCamera map[string]*rate.Limiter
}

func newEventRates() *eventRates { return &eventRates{byCamera: make(map[string]*rate.Limiter)} }

// take counts one event of a camera that is known to exist, and reports whether it
// may be.
func (e *eventRates) take(now time.Time, camera string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	left, ok := e.byCamera[camera]
	if !ok {
		left = rate.NewLimiter(rate.Every(eventEvery), eventBurst)
		e.byCamera[camera] = left
	}
	return left.AllowN(now, 1)
}
