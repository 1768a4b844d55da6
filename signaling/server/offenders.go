package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// maxOffenders bounds the table: some 15 MB.
	maxOffenders = 1 << 16
	// offenceMemory is how long after its last offence an offender is
	// remembered.
	offenceMemory = time.Hour
	// sharedHoldOff is the longest hold-off of an address where others are
	// registered, and afterwards nothing counts for as long as it took: whoever
	// shares an address with an offender gets in within that time.
	sharedHoldOff = 4 * time.Second
	// loopbackFactor is by how much more is forgiven to a loopback address: that
	// is every program of a machine, or a reverse proxy with everybody behind it.
	loopbackFactor = 10
	// evictionTries is how many entries are looked at to make room for one.
	evictionTries = 16
)

// offenders holds off addresses and peers that keep sending what has to be refused. A
// number of offences is forgiven, and some every minute; the ones above that
// start a hold-off, each twice as long as the one before.
type offenders struct {
	// constant after construction
	opts *Options

	mu sync.Mutex
	// guarded by mu
	table map[source]*offender
}

// source is where requests come from: an address; a page on a foreign name or
// origin at an address, so that no page that somebody opens can have the
// household held off whose browser it uses; or a registered peer, so that one
// broken phone answers for itself.
type source struct {
	address netip.Prefix
	foreign bool
	peer    identity.PeerID // with the rest zero
}

// offender is a source that offended. Guarded by offenders.mu.
type offender struct {
	forgiven *rate.Limiter
	next     time.Duration // the next hold-off's length
	until    time.Time     // held off until
	rest     time.Time     // nothing counts until then
	last     time.Time     // offence
}

func newOffenders(o *Options) *offenders {
	return &offenders{opts: o, table: make(map[source]*offender)}
}

// held returns how long a source is held off from now on; 0 if it is not.
func (o *offenders) held(now time.Time, s source) time.Duration {
	if check.Off(check.Connections) {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.table[s]
	if e == nil {
		return 0
	}
	return max(0, e.until.Sub(now))
}

// knows reports whether a source has offended before.
func (o *offenders) knows(s source) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.table[s] != nil
}

// offend counts an offence and returns how long the hold-off is that it starts,
// or 0. shared says that others than the offender are registered from the
// address.
func (o *offenders) offend(now time.Time, s source, shared bool) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.table[s]
	if e != nil && now.Sub(e.last) > offenceMemory {
		e = nil
	}
	if e == nil {
		if len(o.table) >= maxOffenders && !o.evictLocked(now) {
			return 0
		}
		e = &offender{forgiven: o.newForgiven(s), next: o.opts.MinHoldOff}
		o.table[s] = e
	}
	e.last = now
	// What was under way when a hold-off began is part of what it is for.
	if now.Before(e.rest) || e.forgiven.AllowN(now, 1) {
		return 0
	}
	period := min(e.next, o.opts.MaxHoldOff)
	e.next = 2 * period
	if shared {
		period = min(period, sharedHoldOff)
	}
	e.until = now.Add(period)
	e.rest = e.until
	if shared {
		e.rest = e.until.Add(period)
	}
	return period
}

func (o *offenders) newForgiven(s source) *rate.Limiter {
	if s.address.IsValid() && s.address.Addr().IsLoopback() {
		return rate.NewLimiter(o.opts.OffenceRate*loopbackFactor, o.opts.OffenceBurst*loopbackFactor)
	}
	return rate.NewLimiter(o.opts.OffenceRate, o.opts.OffenceBurst)
}

// evictLocked forgets somebody who is not held off.
func (o *offenders) evictLocked(now time.Time) bool {
	tries := 0
	for s, e := range o.table { // in random order
		if !now.Before(e.until) {
			delete(o.table, s)
			return true
		}
		if tries++; tries == evictionTries {
			break
		}
	}
	return false
}

// sweep forgets who has been quiet for long.
func (o *offenders) sweep(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s, e := range o.table {
		if now.Sub(e.last) > offenceMemory {
			delete(o.table, s)
		}
	}
}
