package agent

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
)

// place says which of an agent's places a session takes.
type place uint8

const (
	// placeOfKnown is for peers who were known before they came.
	placeOfKnown place = iota
	// placeOfNewcomer is for players, and for guests who show a grant for the
	// first time. An eighth of all places is kept free of them.
	placeOfNewcomer
	// placeOfClaim is for whoever says to have a secret: maxClaims beside all
	// others, one a peer.
	placeOfClaim
	places
)

// sessionTable holds the sessions of an agent. Safe for concurrent use.
type sessionTable struct {
	// Constant after construction.
	maxAll, maxPerViewer, maxPerHolder int

	live sync.WaitGroup // one for each of all; Add only under mu while not closed

	mu      sync.Mutex // guards what follows
	all     map[sessionKey]*session
	taken   [places]int // by all, and by sessions that are being answered
	closed  bool
	ended   peer.Stats // totals of the sessions that are gone
	opened  map[origin]uint64
	evicted uint64
	refused uint64
}

// playersPerViewer is how many players a holder of tokens may have for each
// session of a viewer: a wall of cameras is one holder.
const playersPerViewer = 4

func newSessionTable(maxAll, maxPerViewer int) *sessionTable {
	return &sessionTable{
		maxAll: maxAll, maxPerViewer: maxPerViewer, maxPerHolder: playersPerViewer * maxPerViewer,
		all: make(map[sessionKey]*session), opened: make(map[origin]uint64),
	}
}

// errNoPlace says that strangers have as many places as they may.
var errNoPlace = fmt.Errorf("%w: what is left is for those who are known here", peer.ErrBusy)

// reserve takes a place for a session that is to be answered, so that answering
// many at once does not go beyond the limit. Give it back by add or cancel.
// Errors are peer.ErrBusy.
func (t *sessionTable) reserve(of place) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	watching := t.taken[placeOfKnown] + t.taken[placeOfNewcomer]
	busy := t.closed || of != placeOfClaim && watching >= t.maxAll
	if busy {
		t.refused++
		return peer.ErrBusy
	}
	strange := of == placeOfClaim && t.taken[of] >= maxClaims || of == placeOfNewcomer && watching >= t.maxAll-t.maxAll/8
	if !check.Off(check.Sessions) && strange {
		t.refused++
		return check.Refused(check.Sessions, errNoPlace)
	}
	t.taken[of]++
	return nil
}

// overstayed returns the oldest session in a place for claims that had its time,
// for whoever finds no place; nil if none had.
func (t *sessionTable) overstayed(of place, now time.Time) (oldest *session) {
	if of != placeOfClaim {
		return nil
	}
	for _, s := range t.list() {
		if s.place == of && now.Sub(s.started) >= claimConnect && (oldest == nil || s.started.Before(oldest.started)) {
			oldest = s
		}
	}
	return oldest
}

func (t *sessionTable) cancel(of place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken[of]--
}

// add enters a session for which a place was reserved. oldest are the viewer's
// sessions that must make room, for the caller to close: somebody who reloads a
// page often must not lock himself out. ok is false when the agent is closing
// or the key is taken; the place is given back then too.
func (t *sessionTable) add(s *session) (oldest []*session, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.all[s.key]; taken || t.closed {
		t.taken[s.place]--
		return nil, false
	}
	if holder := s.holder(); holder != "" {
		var same []*session
		for _, other := range t.all {
			if other.via == s.via && other.holder() == holder {
				same = append(same, other)
			}
		}
		slices.SortFunc(same, func(a, b *session) int { return a.started.Compare(b.started) })
		if n := len(same) - t.most(s.via) + 1; n > 0 {
			oldest = same[:n]
			t.evicted += uint64(n)
		}
	}
	t.all[s.key] = s
	t.live.Add(1)
	t.opened[s.via]++
	return oldest, true
}

// most is how many sessions of a kind one peer may have.
func (t *sessionTable) most(via origin) int {
	switch via {
	case viaWHEP:
		return t.maxPerHolder
	case viaClaim:
		return 1
	default:
		return t.maxPerViewer
	}
}

// known reports whether a peer has a session.
func (t *sessionTable) known(viewer identity.PeerID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := range t.all {
		if k.viewer == viewer {
			return true
		}
	}
	return false
}

// remove takes out a session that add entered, and adds up what it sent. Once
// for each.
func (t *sessionTable) remove(s *session) {
	last := s.media.Stats()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[s.key] == s {
		delete(t.all, s.key)
		t.taken[s.place]--
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
