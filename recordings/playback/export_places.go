package playback

import (
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Bounds of exports under way. There are fewer than of other long answers, since
// the places of all fragments of an export are in memory.
const (
	maxExports      = 8
	maxExportsOfOne = 3
)

// exportPlaces bounds exports under way, in all and of each peer. Safe for
// concurrent use.
type exportPlaces struct {
	mu  sync.Mutex // guards what follows
	all int
	of  map[identity.PeerID]int
}

func newExportPlaces() *exportPlaces { return &exportPlaces{of: make(map[identity.PeerID]int)} }

// enter takes a place and reports whether there was one; leave gives it back. Those
// who have no identity, at the console or where anybody may watch, are not told
// apart and have no limit of their own.
func (e *exportPlaces) enter(peer identity.PeerID) (leave func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.all >= maxExports || peer != "" && e.of[peer] >= maxExportsOfOne {
		return nil, false
	}
	e.all++
	e.of[peer]++
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all--
		if e.of[peer]--; e.of[peer] == 0 {
			delete(e.of, peer)
		}
	}, true
}
