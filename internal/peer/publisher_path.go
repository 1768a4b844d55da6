package peer

import (
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// deadAfter is how long nothing may come from the address in use before another
// one that does speak is taken instead.
const deadAfter = time.Second

// publisherPath decides where a publisher sends to: to where the viewer's first
// request came from, so that nothing waits for a nomination, and then to where the
// viewer nominates last. pion alone would follow a nomination only to a candidate
// of higher priority, and so stay on a direct path that died.
type publisherPath struct {
	onSwitch func(netip.AddrPort) // constant; called when another pair is taken

	mu   sync.Mutex
	pair *ice.CandidatePair // in use; nil before there is one
}

// request is pion's handler of binding requests that have proved to be the
// viewer's. It reports whether to send over their pair from now on.
func (p *publisherPath) request(m *stun.Message, _, _ ice.Candidate, pair *ice.CandidatePair) bool {
	p.mu.Lock()
	nominated := m.Contains(stun.AttrUseCandidate)
	if !nominated && p.pair != nil && (p.pair == pair || !samePath(p.pair, pair) && time.Since(p.pair.Remote.LastReceived()) < deadAfter) {
		p.mu.Unlock()
		return false
	}
	other := p.pair == nil || !samePath(p.pair, pair)
	p.pair = pair
	p.mu.Unlock()
	if other {
		p.onSwitch(addressOf(pair.Remote))
	}
	return true
}

// restart forgets the pair: pion drops all pairs when ICE restarts.
func (p *publisherPath) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pair = nil
}

// remote is the address in use; invalid before there is one.
func (p *publisherPath) remote() netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair == nil {
		return netip.AddrPort{}
	}
	return addressOf(p.pair.Remote)
}

// relayed reports whether the path in use leads through a relay.
func (p *publisherPath) relayed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pair != nil && (p.pair.Remote.Type() == ice.CandidateTypeRelay || p.pair.Local.Type() == ice.CandidateTypeRelay)
}
