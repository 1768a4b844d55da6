package agent

import (
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
)

// sessionTable holds the sessions of an agent. Safe for concurrent use.
type sessionTable struct {
	// Constant after construction.
	maxAll, maxPerViewer int

	live sync.WaitGroup // one for each of all; Add only under mu while not closed

	mu      sync.Mutex // guards what follows
	all     map[sessionKey]*session
	pending int // places taken by sessions that are being answered
	closed  bool
	ended   peer.Stats // totals of the sessions that are gone
	opened  map[origin]uint64
	evicted uint64
	refused uint64
}

func newSessionTable(maxAll, maxPerViewer int) *sessionTable {
	return &sessionTable{
		maxAll: maxAll, maxPerViewer: maxPerViewer,
		all: make(map[sessionKey]*session), opened: make(map[origin]uint64),
	}
}

// reserve takes a place for a session that is to be answered, so that answering
// many at once does not go beyond the limit. Give it back by add or cancel.
func (t *sessionTable) reserve() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.all)+t.pending >= t.maxAll {
		t.refused++
		return false
	}
	t.pending++
	return true
}

func (t *sessionTable) cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending--
}

// add enters a session for which a place was reserved. oldest are the viewer's
// sessions that must make room, for the caller to close: somebody who reloads a
// page often must not lock himself out. ok is false when the agent is closing
// or the key is taken; the place is given back then too.
func (t *sessionTable) add(s *session) (oldest []*session, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending--
	if _, taken := t.all[s.key]; taken || t.closed {
		return nil, false
	}
	if s.key.viewer != "" {
		var same []*session
		for _, other := range t.all {
			if other.key.viewer == s.key.viewer {
				same = append(same, other)
			}
		}
		slices.SortFunc(same, func(a, b *session) int { return a.started.Compare(b.started) })
		if n := len(same) - t.maxPerViewer + 1; n > 0 {
			oldest = same[:n]
			t.evicted += uint64(n)
		}
	}
	t.all[s.key] = s
	t.live.Add(1)
	t.opened[s.via]++
	return oldest, true
}

// remove takes out a session that add entered, and adds up what it sent. Once
// for each.
func (t *sessionTable) remove(s *session) {
	last := s.media.Stats()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[s.key] == s {
		delete(t.all, s.key)
		addStats(&t.ended, last)
		t.live.Done()
	}
}

func (t *sessionTable) get(k sessionKey) (*session, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.all[k]
	return s, ok
}

// list returns the sessions, in no order.
func (t *sessionTable) list() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]*session, 0, len(t.all))
	for _, s := range t.all {
		out = append(out, s)
	}
	return out
}

// of returns the sessions of signaling whose viewer matches.
func (t *sessionTable) of(match func(identity.PeerID) bool) []*session {
	return slices.DeleteFunc(t.list(), func(s *session) bool {
		return s.key.viewer == "" || !match(s.key.viewer)
	})
}

// close makes add refuse, and returns what there is to be closed.
func (t *sessionTable) close() []*session {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	return t.list()
}

// wait waits until every session is removed. Call it after close.
func (t *sessionTable) wait() { t.live.Wait() }

// totals returns counters over all sessions there ever were, and how many there
// are by their origin.
func (t *sessionTable) totals() tableTotals {
	sessions := t.list()
	t.mu.Lock()
	sum := tableTotals{Sent: t.ended, Open: map[origin]int{}, Opened: map[origin]uint64{}, Evicted: t.evicted, Refused: t.refused}
	for via, n := range t.opened {
		sum.Opened[via] = n
	}
	t.mu.Unlock()
	for _, s := range sessions {
		st := s.media.Stats()
		addStats(&sum.Sent, st)
		sum.Open[s.via]++
		if st.Path == "relayed" {
			sum.Relayed++
		}
	}
	return sum
}

// tableTotals are what a sessionTable counts.
type tableTotals struct {
	Sent    peer.Stats // only its counters
	Open    map[origin]int
	Opened  map[origin]uint64
	Relayed int
	Evicted uint64
	Refused uint64
}

func addStats(sum *peer.Stats, s peer.Stats) {
	sum.Packets += s.Packets
	sum.Octets += s.Octets
	sum.Frames += s.Frames
	sum.Dropped += s.Dropped
	sum.Retransmitted += s.Retransmitted
}
