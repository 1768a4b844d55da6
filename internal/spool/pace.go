package spool

import (
	"context"
	"sync"
	"time"
)

// Path is how the way to a recorder stands, as far as the live pictures on it tell.
type Path struct {
	// Measured is false while nothing is known.
	Measured bool
	// Congested says that live pictures do not get through as they should.
	Congested bool
	// Queue is how long packets wait in the network.
	Queue time.Duration
	// Capacity is what fits through, in bit/s, by trains of packets; 0: not known.
	Capacity int
	// Sent counts the bytes of live pictures that all sessions together have sent.
	Sent uint64
	// Trouble says that somebody else's live pictures do not get through as they
	// should. That may be this line's fault, or that viewer's.
	Trouble bool
}

// The rates of a Pace, in bit/s, and its times.
const (
	lowestRate = 64_000
	firstRate  = 300_000
	// blindRate is the most where nothing tells what the path carries.
	blindRate = 1_000_000
	mostRate  = 100_000_000

	// queueSign is the queue from which a transfer gives way: far below what would
	// make live pictures step down.
	queueSign = 30 * time.Millisecond
	// adaptEvery is how often the rate changes. What rate once made a queue is
	// forgotten little by little: after each ceilingAge it counts for a seventh more.
	adaptEvery = 200 * time.Millisecond
	ceilingAge = time.Minute
	// lookEvery is how often the path is looked at. Only what waits at each of looks
	// in a row is a standing queue: a key frame makes one that is gone at once. It
	// takes more of them where the capacity is known, and so what may be taken of it.
	lookEvery = 100 * time.Millisecond
	fewLooks  = 4
	looks     = 8
	// portionTime is how much is sent at once.
	portionTime = 15 * time.Millisecond
	// liveTime is over how much time the rate of live pictures is measured, and
	// troubleTime how long a transfer gives way to somebody in trouble: if that goes
	// on, something else is the cause.
	liveTime    = 2 * time.Second
	troubleTime = 20 * time.Second
	minPortion  = 1 << 10
	maxPortion  = 16 << 10
)

// Pace decides how fast fragments are sent over one session, so that the live
// pictures of all who watch over the same line do not notice: the rate rises while
// packets wait nowhere and falls at the first sign of a queue. The rate that made
// one is remembered: what is fetched in the background gets half of it from then
// on. The zero value is ready to use. Safe for concurrent use.
type Pace struct {
	mu      sync.Mutex
	rate    float64 // bit/s; 0 before the first transfer
	ceiling float64 // the rate that made a queue; 0: none has
	ceiled  time.Time
	adapted time.Time
	queued  bool // there was a queue then
	waits   [looks]time.Duration
	looked  int
	sent    int64     // bytes since adapted
	next    time.Time // when the next portion may be sent

	live     float64 // bit/s of live pictures; 0: not known
	counted  uint64  // Path.Sent then
	measured time.Time
	trouble  time.Time // since when somebody is in trouble; zero: nobody is
}

// look takes how the path stands at a moment.
func (p *Pace) look(now time.Time, st Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waits[p.looked%looks] = st.Queue
	p.looked++
	switch d := now.Sub(p.measured); {
	case p.measured.IsZero() || d > 5*liveTime || st.Sent < p.counted: // nothing was sent for a while
		p.counted, p.measured = st.Sent, now
	case d >= liveTime:
		p.live = float64((st.Sent-p.counted)*8) / d.Seconds()
		p.counted, p.measured = st.Sent, now
	}
	switch {
	case !st.Trouble:
		p.trouble = time.Time{}
	case p.trouble.IsZero():
		p.trouble = now
		p.ceiling, p.ceiled = p.rate*0.7, now
	}
}

// standing is how long packets have waited at least. Until enough is known nothing
// waits.
func (p *Pace) standing(st Path) time.Duration {
	n := fewLooks
	if st.Capacity > 0 {
		n = looks
	}
	if p.looked < n {
		return 0
	}
	least := p.waits[(p.looked-1)%looks]
	for i := 2; i <= n; i++ {
		least = min(least, p.waits[(p.looked-i)%looks])
	}
	return least
}

// allowed is the most for a transfer.
func (p *Pace) allowed(now time.Time, st Path, background bool, limit int) float64 {
	if !p.trouble.IsZero() && now.Sub(p.trouble) < troubleTime {
		return lowestRate
	}
	share := 0.9
	if background {
		share = 0.5
	}
	most := float64(mostRate)
	if !st.Measured {
		most = blindRate
	}
	if st.Capacity > 0 && p.live > 0 {
		most = min(most, (float64(st.Capacity)*0.95-p.live)*share)
	}
	if p.ceiling > 0 {
		most = min(most, p.ceiling*share)
	}
	if limit > 0 {
		most = min(most, float64(limit))
	}
	return max(most, lowestRate)
}

// adapt changes the rate to what the path shows.
func (p *Pace) adapt(now time.Time, st Path, background bool, limit int) {
	most := p.allowed(now, st, background, limit)
	if p.rate == 0 {
		p.rate, p.adapted = firstRate, now
	}
	since := now.Sub(p.adapted)
	switch {
	case since < adaptEvery:
	case st.Measured && (st.Congested || p.standing(st) > queueSign):
		p.struck(now, float64(p.sent*8)/since.Seconds())
		p.rate *= 0.7
		p.adapted, p.sent, p.queued = now, 0, true
	default:
		// It rises only as far as it is used: a transport that takes less would
		// make a burst of the rest.
		if reached := float64(p.sent*8) / since.Seconds(); reached > p.rate*0.8 {
			p.rate *= 1.08
		}
		if p.ceiling > 0 && now.Sub(p.ceiled) >= ceilingAge {
			p.ceiling, p.ceiled = p.ceiling*8/7, now
		}
		p.adapted, p.sent, p.queued = now, 0, false
	}
	p.rate = min(max(p.rate, lowestRate), most)
}

// struck takes that there is a queue, with the rate that was reached.
func (p *Pace) struck(now time.Time, reached float64) {
	switch {
	case p.queued || reached < p.rate/2:
		// What still waits while the rate falls says nothing of that rate, nor does
		// one that was not used.
	case p.ceiling > 0 && p.rate < p.ceiling*0.6:
		p.ceiling *= 0.95 // somebody else's, rather
	default:
		p.ceiling, p.ceiled = p.rate*0.8, now // it began to wait some looks ago
	}
}

// take returns how much may be sent next, at most n bytes, and how long to wait
// before.
func (p *Pace) take(now time.Time, st Path, background bool, limit, n int) (portion int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapt(now, st, background, limit)
	portion = min(max(int(p.rate/8*portionTime.Seconds()), minPortion), maxPortion, n)
	if p.next.Before(now) {
		p.next = now
	}
	wait = p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(portion*8) / p.rate * float64(time.Second)))
	p.sent += int64(portion)
	return portion, wait
}

// Rate is the present rate in bit/s, 0 before the first transfer.
func (p *Pace) Rate() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.rate)
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
