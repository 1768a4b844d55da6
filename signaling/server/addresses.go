package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/gate"
)

const (
	// maxAddresses bounds the table of addresses: some 20 MB.
	maxAddresses = 1 << 16
	// addressMemory is how long a quiet address is remembered, longer than any
	// limiter needs to recover.
	addressMemory = time.Minute
	// standing is how long it counts that somebody was registered from an
	// address: see offenders.
	standing = 10 * time.Minute
)

// addresses limits what comes from one address. Identities are free, addresses
// less so.
type addresses struct {
	// constant after construction
	opts *Options

	mu sync.Mutex
	// guarded by mu
	table map[netip.Prefix]*address
	total int // WebSockets
}

// address is one IPv4 address or IPv6 /64.
type address struct {
	// constant after construction
	prefix   netip.Prefix
	connects *rate.Limiter
	frames   *rate.Limiter

	// guarded by addresses.mu
	connections int
	registered  int // of the connections
	used        time.Time
	proved      time.Time // the last registered one ended well
}

func newAddresses(o *Options) *addresses {
	return &addresses{opts: o, table: make(map[netip.Prefix]*address)}
}

// enter counts a new WebSocket. refusal is "" or the metrics label of why not.
func (a *addresses) enter(now time.Time, ip netip.Addr) (entry *address, refusal string) {
	key := gate.Prefix(ip)
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.table[key]
	if !ok {
		if len(a.table) >= maxAddresses {
			a.sweepLocked(now, addressMemory)
		}
		if len(a.table) >= maxAddresses {
			return nil, refusedTotal
		}
		e = &address{
			prefix:   key,
			connects: rate.NewLimiter(a.opts.ConnectRate, a.opts.ConnectBurst),
			frames:   rate.NewLimiter(a.opts.AddressRate, a.opts.AddressBurst),
		}
		a.table[key] = e
	}
	e.used = now
	switch tooFast := !e.connects.AllowN(now, 1); {
	case check.Off(check.Connections):
	case e.connections >= a.opts.MaxConnectionsPerAddress || tooFast:
		return nil, refusedAddress
	case a.total >= a.opts.MaxConnections:
		return nil, refusedTotal
	}
	e.connections++
	a.total++
	return e, ""
}

// prove counts a registered connection.
func (a *addresses) prove(e *address) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.registered++
}

// unprove takes a registered connection back. well says that it ended without
// an offence: then the address keeps its standing for a while.
func (a *addresses) unprove(now time.Time, e *address, well bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.registered--
	if well {
		e.proved = now
	}
}

// shared reports whether somebody is registered from an address, or was a
// moment ago.
func (a *addresses) shared(now time.Time, prefix netip.Prefix) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.table[prefix]
	return e != nil && (e.registered > 0 || now.Sub(e.proved) < standing)
}

func (a *addresses) leave(now time.Time, e *address) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.connections--
	e.used = now
	a.total--
}

// sweep forgets addresses that have been quiet.
func (a *addresses) sweep(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweepLocked(now, standing)
}

// sweepLocked forgets addresses that have been quiet. Those from which somebody
// was registered are remembered for longer, if there is room.
func (a *addresses) sweepLocked(now time.Time, provedMemory time.Duration) {
	for key, e := range a.table {
		if e.connections == 0 && now.Sub(e.used) > addressMemory && now.Sub(e.proved) > provedMemory {
			delete(a.table, key)
		}
	}
}
