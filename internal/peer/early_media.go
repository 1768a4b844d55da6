package peer

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// maxEarly is how many packets are held at most: a key frame of 1.5 MB. What does not
// fit is lost, as on the way.
const maxEarly = 1024

// earlyMedia holds media that comes before the description that names it was applied:
// a publisher sends as soon as it has answered, and the answer takes another way. pion
// would look into such packets on one goroutine while another hands them out. Safe for
// concurrent use.
type earlyMedia struct {
	busy atomic.Bool // packets are held, or may have to be

	mu      sync.Mutex
	holding bool
	known   []uint32 // SSRCs of streams that pass
	packets []earlyPacket
}

type earlyPacket struct {
	data []byte
	from netip.AddrPort
}

// hold holds the packets of all streams but those that are known, until release is
// called. One caller at a time.
func (e *earlyMedia) hold(known []uint32) (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holding, e.known = true, known
	e.busy.Store(true)
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.holding = false
	}
}

// take takes a packet that has come, or reports that it may pass. Of what was held, the
// first comes first: until next has returned it all, later packets queue behind it.
func (e *earlyMedia) take(p []byte, from netip.AddrPort) bool {
	if !e.busy.Load() || !isRTP(p) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.holding && len(e.packets) == 0 || slices.Contains(e.known, binary.BigEndian.Uint32(p[8:])) {
		return false
	}
	if len(e.packets) < maxEarly {
		e.packets = append(e.packets, earlyPacket{slices.Clone(p), from})
	}
	return true
}

// next copies the first packet that may pass by now; false if there is none.
func (e *earlyMedia) next(p []byte) (n int, from netip.AddrPort, ok bool) {
	if !e.busy.Load() {
		return 0, netip.AddrPort{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.holding {
		return 0, netip.AddrPort{}, false
	}
	if len(e.packets) == 0 {
		e.packets, e.known = nil, nil
		e.busy.Store(false)
		return 0, netip.AddrPort{}, false
	}
	first := e.packets[0]
	e.packets = e.packets[1:]
	return copy(p, first.data), first.from, true
}
