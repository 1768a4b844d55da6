package relay

import "math"

// Limits bound what agents may use of a relay. What is 0 has its default.
type Limits struct {
	// BytesPerDay is what may be relayed for one agent on one day of UTC, the
	// payloads of both directions together, each counted as 64 bytes at least. When
	// it is spent, the agent's allocations end, and it gets no new one until
	// midnight. The count does not survive a restart. Default 50 GB (50e9).
	BytesPerDay int64
	// TotalBytesPerDay is the same for all agents together: when it is spent, every
	// allocation that carries something ends, and there is no new one until
	// midnight. Default 500 GB (500e9).
	TotalBytesPerDay int64
	// BytesPerSecond is what may be relayed for one agent in one second; packets
	// above it are dropped. Default: no limit.
	BytesPerSecond int64
	// Allocations bounds the allocations of one agent at a time: a session of
	// which one end relays has one or two (one for each family of addresses).
	// Default 32.
	Allocations int
	// TotalAllocations bounds those of all agents. Default 2,048.
	TotalAllocations int
	// Connections bounds the TCP connections without an allocation,
	// ConnectionsPerAddress those from one address (an IPv6 /64 is one). Above,
	// the one that has been silent longest is closed. Defaults 1,024 and 32.
	Connections, ConnectionsPerAddress int
	// RequestsPerSecond and RequestBurst limit the STUN and TURN requests of one
	// address; what is above is not answered. Defaults 100 and 500.
	RequestsPerSecond, RequestBurst int
}

// minBurst is how much may come at once, in bytes, whatever the rate: a
// datagram must fit, and a key frame should.
const minBurst = 256 << 10

func (l *Limits) setDefaults() {
	setDefault(&l.BytesPerDay, 50e9)
	setDefault(&l.TotalBytesPerDay, 500e9)
	setDefault(&l.Allocations, 32)
	setDefault(&l.TotalAllocations, 2048)
	setDefault(&l.Connections, 1024)
	setDefault(&l.ConnectionsPerAddress, 32)
	setDefault(&l.RequestsPerSecond, 100)
	setDefault(&l.RequestBurst, 500)
	l.BytesPerSecond = min(l.BytesPerSecond, math.MaxInt32)
}

func setDefault[T int | int64](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}
