package virtual

import (
	"net/netip"
	"sync"

	"github.com/pion/transport/v4/vnet"
)

// firewall lets only answers into a network (RFC 6092 §3.2), by address and
// port.
type firewall struct {
	inside netip.Prefix // constant

	mu    sync.Mutex
	flows map[[2]netip.AddrPort]bool // inside, outside
}

func newFirewall(inside netip.Prefix) *firewall {
	return &firewall{inside: inside, flows: map[[2]netip.AddrPort]bool{}}
}

// passes is a vnet.ChunkFilter.
func (f *firewall) passes(c vnet.Chunk) bool {
	from, to := ends(c)
	fromInside, toInside := f.inside.Contains(from.Addr()), f.inside.Contains(to.Addr())
	f.mu.Lock()
	defer f.mu.Unlock()
	if fromInside {
		f.flows[[2]netip.AddrPort{from, to}] = true
	}
	return fromInside || !toInside || f.flows[[2]netip.AddrPort{to, from}]
}
