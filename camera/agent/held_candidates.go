package agent

import "sync"

// maxHeld bounds the candidates that wait for the answer.
const maxHeld = 64

// heldCandidates are what was found after an answer was made and before it was
// sent: no candidate may come first. The zero value holds everything back.
type heldCandidates struct {
	mu       sync.Mutex
	released bool
	lines    []string
}

// hold keeps a candidate, or reports that it may go.
func (h *heldCandidates) hold(line string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.released && len(h.lines) < maxHeld {
		h.lines = append(h.lines, line)
	}
	return !h.released
}

// release lets everything go, and returns what was held back.
func (h *heldCandidates) release() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	held := h.lines
	h.released, h.lines = true, nil
	return held
}
