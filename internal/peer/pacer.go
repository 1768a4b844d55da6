package peer

import "time"

// pacer is a token bucket in bytes. A rate of 0 lets everything through.
type pacer struct {
	rate   int // bit/s
	depth  int // bytes
	tokens float64
	at     time.Time
}

// set changes the rate; what was saved up stays within depth.
func (p *pacer) set(now time.Time, rate, depth int) {
	p.refill(now)
	if p.rate == 0 && rate > 0 {
		p.tokens = float64(depth)
	}
	p.rate, p.depth = rate, depth
	p.tokens = min(p.tokens, float64(depth))
}

func (p *pacer) refill(now time.Time) {
	if p.rate > 0 && !p.at.IsZero() {
		p.tokens = min(p.tokens+now.Sub(p.at).Seconds()*float64(p.rate)/8, float64(p.depth))
	}
	p.at = now
}

// take returns 0 and takes n bytes, or returns how long to wait before asking
// again: until half the depth is there, so that packets leave in trains.
func (p *pacer) take(now time.Time, n int) time.Duration {
	if p.rate == 0 {
		return 0
	}
	p.refill(now)
	if p.tokens > 0 { // may go below zero by one packet
		p.tokens -= float64(n)
		return 0
	}
	want := float64(p.depth) * 0.9
	return time.Duration((want - p.tokens) * 8 / float64(p.rate) * float64(time.Second))
}

// allows reports whether take would let a packet through.
func (p *pacer) allows(now time.Time) bool {
	p.refill(now)
	return p.rate == 0 || p.tokens > 0
}

// charge takes n bytes without asking (retransmissions). The debt is bounded:
// a flood of requests must not hold up the picture.
func (p *pacer) charge(n int) {
	if p.rate > 0 {
		p.tokens = max(p.tokens-float64(n), -float64(p.depth))
	}
}
