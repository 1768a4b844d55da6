package agent

import "sync"

// The memory that fragments take on their way out, in bytes, of one peer and in all:
// more than the longest takes. They stay there although the spool may have dropped
// them meanwhile.
const (
	maxHeldBytesOfPeer = 24 << 20
	maxHeldBytes       = 64 << 20
)

// heldBytes bounds the memory of answers. Safe for concurrent use.
type heldBytes struct {
	mu  sync.Mutex // guards what follows
	all int64
	of  map[string]int64 // by askerOf
}

func newHeldBytes() *heldBytes { return &heldBytes{of: make(map[string]int64)} }

// take takes memory for an answer, and reports whether there was enough. It does not
// wait. release gives it back; it is called once.
func (h *heldBytes) take(who string, n int64) (release func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all+n > maxHeldBytes || h.of[who]+n > maxHeldBytesOfPeer {
		return nil, false
	}
	h.all += n
	h.of[who] += n
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all -= n
		if h.of[who] -= n; h.of[who] == 0 {
			delete(h.of, who)
		}
	}, true
}
