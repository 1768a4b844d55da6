package encoder

import "time"

// A pacer finds out whether pictures take too long to encode: whether those of the
// last two seconds took more than 70 % of the time between them. What is left is for
// the rest of the agent, and for pictures that are harder than these.
type pacer struct {
	interval time.Duration // from picture to picture; constant
	window   int           // pictures in two seconds; constant

	count int // in this window
	spent time.Duration
}

func newPacer(rate float64) pacer {
	return pacer{interval: time.Duration(float64(time.Second) / rate), window: max(int(2*rate+0.5), 1)}
}

// observe takes note of how long a picture took. It returns the share of the time that
// the last window took, and whether that is too much; at most once in a window.
func (p *pacer) observe(d time.Duration) (load float64, slow bool) {
	p.count++
	p.spent += d
	if p.count < p.window {
		return 0, false
	}
	load = float64(p.spent) / (float64(p.interval) * float64(p.count))
	p.count, p.spent = 0, 0
	return load, load > 0.7
}
