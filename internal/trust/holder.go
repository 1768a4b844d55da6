package trust

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Bounds of what is remembered of guests. Whoever is forgotten loses nothing: the
// grants are with their holders, who show them again.
const (
	maxHolders    = 256
	maxGrantsEach = 8
	maxGrantBytes = 4 << 20 // of all grants together

	// seenEvery is how often it is written down that somebody was here.
	seenEvery = time.Hour

	// What guests make us write: a memory card must not wear out because one of
	// them passes on grants all day.
	guestWritesBurst = 64
	guestWriteEvery  = 10 * time.Second
)

// holder is a guest whose grants were seen. Its grants never change: another
// holder takes its place.
type holder struct {
	grants []*access.Grant // oldest first
	seen   *atomic.Int64   // when it came last, in Unix seconds; 0: never yet
	onDisk *atomic.Int64   // seen, as it is on disk; 0: the grants are not there
}

func newHolder(grants []*access.Grant, seen int64) *holder {
	h := &holder{grants: grants, seen: new(atomic.Int64), onDisk: new(atomic.Int64)}
	h.seen.Store(seen)
	h.onDisk.Store(seen)
	return h
}

func (h *holder) has(compact string) bool {
	return slices.ContainsFunc(h.grants, func(g *access.Grant) bool { return g.Compact() == compact })
}

func (h *holder) bytes() int {
	n := 0
	for _, g := range h.grants {
		n += len(g.Compact())
	}
	return n
}

// remember keeps the grants of a peer that was let in by them, and when that was.
func (t *Trust) remember(peer identity.PeerID, grants []*access.Grant) {
	now := t.Now().Unix()
	h := t.state.Load().holders[peer]
	if h == nil || slices.ContainsFunc(grants, func(g *access.Grant) bool { return !h.has(g.Compact()) }) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if h := t.keepGrants(peer, grants, now); h != nil && t.mayWrite() {
			t.saveHolder(peer, h)
		}
		return
	}
	h.seen.Store(now)
	if now-h.onDisk.Load() < int64(seenEvery/time.Second) || !t.mu.TryLock() {
		return // not worth waiting for
	}
	defer t.mu.Unlock()
	if t.state.Load().holders[peer] == h && t.mayWrite() {
		t.saveHolder(peer, h)
	}
}

// mayWrite reports whether what a guest did is written down now, or with the
// next thing that it does.
func (t *Trust) mayWrite() bool { return t.guestWrites.AllowN(t.options.Now(), 1) }

// keepGrants adds grants to those of a peer, which came at a time, or has not yet
// if that is 0, and returns what is to be written down: nil if nothing changed, or
// there is no place for this peer. Its caller holds mu.
func (t *Trust) keepGrants(peer identity.PeerID, grants []*access.Grant, seen int64) *holder {
	s := t.state.Load()
	var all []*access.Grant
	if h := s.holders[peer]; h != nil {
		all, seen = slices.Clone(h.grants), max(seen, h.seen.Load())
	}
	before := len(all)
	for _, g := range grants {
		same := func(o *access.Grant) bool { return o.Compact() == g.Compact() }
		if !slices.ContainsFunc(all, same) {
			all = append(all, g)
		}
	}
	if len(all) == before {
		return nil // somebody else was quicker
	}
	h := newHolder(s.newest(peer, all, t.Now()), seen)
	h.onDisk.Store(0)
	next := s.next()
	next.holders = maps.Clone(s.holders)
	next.holders[peer] = h
	for _, gone := range next.makeRoom(peer, t.Now()) {
		delete(next.holders, gone)
		t.store.removeHolder(gone)
	}
	t.put(next)
	return next.holders[peer]
}

// saveHolder writes down what was seen of a guest. Its caller holds mu.
func (t *Trust) saveHolder(peer identity.PeerID, h *holder) (kept bool) {
	seen := h.seen.Load()
	if err := t.store.saveHolder(peer, h.grants, seen); err != nil {
		t.options.Logger.Warn("a guest's grants cannot be written down; they are asked for again after a restart", "peer", peer, "error", err)
		return false
	}
	h.onDisk.Store(seen)
	return true
}

// newest returns as many grants as are kept for one peer, those that count before
// those that do not, and the later before the earlier, in the order they came in.
func (s *state) newest(peer identity.PeerID, all []*access.Grant, now time.Time) []*access.Grant {
	for len(all) > maxGrantsEach {
		i := slices.IndexFunc(all, func(g *access.Grant) bool { return s.judge(g, peer, now) != nil })
		all = slices.Delete(all, max(i, 0), max(i, 0)+1)
	}
	return all
}

// candidate is a guest who may be forgotten.
type candidate struct {
	peer   identity.PeerID
	counts int // 1: some of its grants count
	direct int // 1: some come from an owner or the console, not from another guest
	seen   int64
	bytes  int
}

func (s *state) candidate(peer identity.PeerID, now time.Time) candidate {
	h := s.holders[peer]
	c := candidate{peer: peer, seen: h.seen.Load(), bytes: h.bytes()}
	for _, g := range h.grants {
		if s.judge(g, peer, now) == nil {
			c.counts = 1
			if g.Parent() == nil && (g.Invite() == nil || g.Invite().Parent() == nil) {
				c.direct = 1
			}
		}
	}
	return c
}

// makeRoom says whom to forget, now that peer has come, to stay within the bounds:
// those whose grants do not count any more, then those whom other guests have let
// in (so that no guest drives out those of the owners), then those who have not
// been here longest.
func (s *state) makeRoom(peer identity.PeerID, now time.Time) (gone []identity.PeerID) {
	total := 0
	for _, h := range s.holders {
		total += h.bytes()
	}
	left := len(s.holders)
	if left <= maxHolders && total <= maxGrantBytes {
		return nil
	}
	var all []candidate
	for other := range s.holders {
		if c := s.candidate(other, now); other != peer || c.direct == 0 {
			all = append(all, c)
		}
	}
	sort.Slice(all, func(i, j int) bool { // slices.SortFunc would be compiled for this type anew
		a, b := &all[i], &all[j]
		return cmp.Or(cmp.Compare(a.counts, b.counts), cmp.Compare(a.direct, b.direct), cmp.Compare(a.seen, b.seen), cmp.Compare(a.peer, b.peer)) < 0
	})
	for _, c := range all {
		if left <= maxHolders && total <= maxGrantBytes {
			break
		}
		gone = append(gone, c.peer)
		left, total = left-1, total-c.bytes
	}
	return gone
}
