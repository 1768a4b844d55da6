package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/check"
)

const (
	// maxAddresses bounds the table of addresses: some 20 MB.
	maxAddresses = 1 << 16
	// addressMemory is how long a quiet address is remembered, longer than any
	// limiter needs to recover.
	addressMemory = time.Minute
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
	connects *rate.Limiter
	frames   *rate.Limiter

	// guarded by addresses.mu
	connections int
	used        time.Time
}

func newAddresses(o *Options) *addresses {
	return &addresses{opts: o, table: make(map[netip.Prefix]*address)}
}

// enter counts a new WebSocket. refusal is "" or the metrics label of why not.
func (a *addresses) enter(now time.Time, ip netip.Addr) (entry *address, refusal string) {
	key := prefixOf(ip)
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.table[key]
	if !ok {
		if len(a.table) >= maxAddresses {
			a.sweepLocked(now)
		}
		if len(a.table) >= maxAddresses {
			return nil, refusedTotal
		}
		e = &address{
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
	a.sweepLocked(now)
}

func (a *addresses) sweepLocked(now time.Time) {
	for key, e := range a.table {
		if e.connections == 0 && now.Sub(e.used) > addressMemory {
			delete(a.table, key)
		}
	}
}

// prefixOf returns what one household or one rented machine has at least: an
// IPv4 address or an IPv6 /64.
func prefixOf(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address at all: one common entry
	}
	return p
}
