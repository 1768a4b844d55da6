package peer

import (
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// viewerPath decides where a viewer sends to: to where the publisher's first
// request came from, and then to what the viewer found best and told the
// publisher.
type viewerPath struct {
	mu     sync.Mutex
	active bool               // the publisher chooses as we do; else pion's rules hold
	pair   *ice.CandidatePair // in use; nil before there is one, or if pion chose it
	want   netip.AddrPort     // the address to change to as soon as a request comes from there
	heard  []netip.AddrPort   // where requests came from that no candidate named
}

// request is pion's handler of binding requests that have proved to be the
// publisher's. It reports whether to send over their pair from now on.
func (p *viewerPath) request(_ *stun.Message, _, _ ice.Candidate, pair *ice.CandidatePair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.active {
		return false
	}
	from := addressOf(pair.Remote)
	if pair.Remote.Type() == ice.CandidateTypePeerReflexive && len(p.heard) < maxNames {
		p.heard = append(p.heard, from)
	}
	// What is wanted was checked from the port itself. A relay of this side's may
	// lead to the same address.
	wanted := p.want == from && pair.Local.Type() != ice.CandidateTypeRelay
	if p.pair != nil && p.pair != pair && !samePath(p.pair, pair) && !wanted && time.Since(p.pair.Remote.LastReceived()) < deadAfter {
		return false
	}
	other := p.pair != pair
	p.pair = pair
	return other
}

// samePath reports whether two pairs are one path: pion makes new ones when it
// learns more of a candidate.
func samePath(a, b *ice.CandidatePair) bool {
	return a.Local.Equal(b.Local) && addressOf(a.Remote) == addressOf(b.Remote)
}

// activate turns the own rules on.
func (p *viewerPath) activate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = true
}

// restart forgets the pair: pion drops all pairs when ICE restarts.
func (p *viewerPath) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pair, p.want = nil, netip.AddrPort{}
}

func (p *viewerPath) nominate(a netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want = a
}

// lastReceived is when the last packet came over the pair in use.
func (p *viewerPath) lastReceived() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair == nil {
		return time.Time{}
	}
	return p.pair.Remote.LastReceived()
}

// rank is how good the pair in use is.
func (p *viewerPath) rank() pathRank {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.pair == nil:
		return noPath
	case p.pair.Local.Type() == ice.CandidateTypeRelay:
		return relayedPath
	case p.pair.Local.NetworkType().IsTCP():
		return tcpPath
	}
	return rankOf(p.pair.Remote.Type(), addressOf(p.pair.Remote).Addr())
}

// newAddresses returns and forgets where requests came from that no candidate
// named.
func (p *viewerPath) newAddresses() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.heard
	p.heard = nil
	return out
}

// pathRank orders paths: any direct one before any relayed one.
type pathRank int

const (
	noPath pathRank = iota
	relayedPath
	tcpPath
	directPath
	ownNetworkPath
)

// rankOf ranks a path by the kind and address of its far end.
func rankOf(kind ice.CandidateType, a netip.Addr) pathRank {
	switch {
	case kind == ice.CandidateTypeRelay:
		return relayedPath
	case a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast():
		return ownNetworkPath
	}
	return directPath
}
