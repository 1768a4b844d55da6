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
	viewers map[identity.PeerID]*list.Element // of *seenViewer
	recent  *list.List                        // most recent first
}

type seenViewer struct {
	id     identity.PeerID
	nonces map[Token]int64 // nonce -> exp
	floor  int64           // offers with exp <= floor are refused; 0 for none
}

func newSeenOffers(maxViewers, maxNonces int) *seenOffers {
	return &seenOffers{
		maxViewers: maxViewers,
		maxNonces:  maxNonces,
		viewers:    make(map[identity.PeerID]*list.Element),
		recent:     list.New(),
	}
}

// add notes an offer, or returns ErrReplayed. Entries with an exp before oldest
// (both in Unix seconds) are forgotten: the caller refuses those offers by
// their age.
func (s *seenOffers) add(from identity.PeerID, nonce Token, exp, oldest int64) error {
	v := s.viewer(from)
	for n, e := range v.nonces {
		if e < oldest {
			delete(v.nonces, n)
		}
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
	if e, ok := s.viewers[id]; ok {
		s.recent.MoveToFront(e)
		return e.Value.(*seenViewer)
	}
	if len(s.viewers) >= s.maxViewers {
		last := s.recent.Back()
		s.recent.Remove(last)
		delete(s.viewers, last.Value.(*seenViewer).id)
	}
	v := &seenViewer{id: id, nonces: make(map[Token]int64)}
	s.viewers[id] = s.recent.PushFront(v)
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
