package signaling

import (
	"container/list"
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
)

// seenOffers remembers the nonces of offers until they expire, in bounded
// memory. When a viewer's memory is full the entry that expires first is
// forgotten, and from then on offers that expire no later than it are refused:
// being unsure counts as seen. When there are too many viewers, the one quiet
// for longest is forgotten. Its owner guards it.
type seenOffers struct {
	// constant after construction
	maxViewers int
	maxNonces  int

	// guarded by the owner's mutex
	viewers map[identity.PeerID]*seenViewer
	recent  *list.List // of PeerID, most recent first
}

type seenViewer struct {
	nonces map[Token]int64 // nonce -> exp
	floor  int64           // offers with exp <= floor are refused; 0 for none
	place  *list.Element   // in recent
}

func newSeenOffers(maxViewers, maxNonces int) *seenOffers {
	return &seenOffers{
		maxViewers: maxViewers,
		maxNonces:  maxNonces,
		viewers:    make(map[identity.PeerID]*seenViewer),
		recent:     list.New(),
	}
}

// add notes an offer, or returns ErrReplayed. Entries with an exp before oldest
// or after newest (all in Unix seconds) are forgotten: the caller refuses those
// offers by their time. After newest they are only when the clock was set back.
func (s *seenOffers) add(from identity.PeerID, nonce Token, exp, oldest, newest int64) error {
	v := s.viewer(from)
	for n, e := range v.nonces {
		if e < oldest || e > newest {
			delete(v.nonces, n)
		}
	}
	if v.floor > newest {
		v.floor = 0
	}
	if _, ok := v.nonces[nonce]; ok {
		return ErrReplayed
	}
	if v.floor > 0 && exp <= v.floor {
		return fmt.Errorf("%w: older than what is remembered of this viewer", ErrReplayed)
	}
	if len(v.nonces) >= s.maxNonces {
		v.forgetFirst()
		if exp <= v.floor {
			return fmt.Errorf("%w: too many offers at once", ErrReplayed)
		}
	}
	v.nonces[nonce] = exp
	return nil
}

func (s *seenOffers) viewer(id identity.PeerID) *seenViewer {
	if v, ok := s.viewers[id]; ok {
		s.recent.MoveToFront(v.place)
		return v
	}
	if len(s.viewers) >= s.maxViewers {
		if oldest, ok := s.recent.Remove(s.recent.Back()).(identity.PeerID); ok {
			delete(s.viewers, oldest)
		}
	}
	v := &seenViewer{nonces: make(map[Token]int64), place: s.recent.PushFront(id)}
	s.viewers[id] = v
	return v
}

// forgetFirst drops the entry that expires first and raises the floor to it.
func (v *seenViewer) forgetFirst() {
	first, found := Token(""), false
	for n, e := range v.nonces {
		if !found || e < v.nonces[first] {
			first, found = n, true
		}
	}
	v.floor = max(v.floor, v.nonces[first])
	delete(v.nonces, first)
}
