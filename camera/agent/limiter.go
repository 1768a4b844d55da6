package agent

// limiter bounds how many of something there are at a time. The zero value
// allows none; make it with newLimiter.
type limiter struct{ places chan struct{} }

func newLimiter(n int) *limiter { return &limiter{places: make(chan struct{}, n)} }

// take takes a place and reports whether there was one. It does not wait.
func (l *limiter) take() bool {
	select {
	case l.places <- struct{}{}:
		return true
	default:
		return false
	}
}

// give gives a place back.
func (l *limiter) give() { <-l.places }
