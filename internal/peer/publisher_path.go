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
// request came from, so that nothing waits for a nomination, and then to what the
// viewer nominates last. pion alone would follow a nomination only to a candidate
// of higher priority, and so stay on a direct path that died.
//
// A request proves who made it, not who sent it from where: anybody on the way can
// send it again, and a viewer can name somebody else as its sender. So the path
// moves only to an address that has answered a check of ours.
type publisherPath struct {
	// Constant. onSwitch is called when another pair is taken, probe to check an
	// address; proved reports whether one has answered lately.
	onSwitch, probe func(netip.AddrPort)
	proved          func(netip.AddrPort) bool

	mu     sync.Mutex
	pair   *ice.CandidatePair // in use; nil before there is one
	wanted netip.AddrPort     // nominated, and has not answered yet
}

// request is pion's handler of binding requests that have proved to be the
// viewer's. It reports whether to send over their pair from now on.
func (p *publisherPath) request(m *stun.Message, _, _ ice.Candidate, pair *ice.CandidatePair) bool {
	from := addressOf(pair.Remote)
	p.mu.Lock()
	nominated := m.Contains(stun.AttrUseCandidate)
	other := p.pair == nil || !samePath(p.pair, pair)
	if p.pair != nil && other && !p.answers(pair, from) {
		if nominated {
			p.wanted = from
		}
		p.mu.Unlock()
		p.probe(from)
		return false
	}
	nominated = nominated || p.wanted == from
	if !nominated && p.pair != nil && (p.pair == pair || other && time.Since(p.pair.Remote.LastReceived()) < deadAfter) {
		p.mu.Unlock()
		return false
	}
	p.pair, p.wanted = pair, netip.AddrPort{}
	p.mu.Unlock()
	if other {
		p.onSwitch(from)
	}
	return true
}

// answers reports whether the far end of a pair has answered a check lately, ours
// or pion's. A TCP connection is an answer.
func (p *publisherPath) answers(pair *ice.CandidatePair, from netip.AddrPort) bool {
	return pair.Local.NetworkType().IsTCP() || time.Since(pair.LastResponseReceivedAt()) < consentFor || p.proved(from)
}

// restart forgets the pair: pion drops all pairs when ICE restarts.
func (p *publisherPath) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pair, p.wanted = nil, netip.AddrPort{}
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

// overUDP is the address in use, if it is one for UDP; invalid else.
func (p *publisherPath) overUDP() netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair == nil || p.pair.Local.NetworkType().IsTCP() {
		return netip.AddrPort{}
	}
	return addressOf(p.pair.Remote)
}

// silence is how long nothing has come over the path in use; 0 without one.
func (p *publisherPath) silence(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair == nil {
		return 0
	}
	return now.Sub(p.pair.Remote.LastReceived())
}

// relayed reports whether the path in use leads through a relay.
func (p *publisherPath) relayed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pair != nil && (p.pair.Remote.Type() == ice.CandidateTypeRelay || p.pair.Local.Type() == ice.CandidateTypeRelay)
}
