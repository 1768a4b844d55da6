package agent

import "testing"

func TestHeldBytes_OnePeerDoesNotTakeAll(t *testing.T) {
	h := newHeldBytes()
	release, ok := h.take("a", maxHeldBytesOfPeer)
	if !ok {
		t.Fatal("the first has no room")
	}
	if _, ok := h.take("a", 1); ok {
		t.Error("a peer takes more than its part")
	}
	if _, ok := h.take("b", maxHeldBytesOfPeer); !ok {
		t.Error("another peer has no room")
	}
	if _, ok := h.take("c", maxHeldBytesOfPeer); ok {
		t.Error("there is more than there is in all")
	}
	release()
	if _, ok := h.take("c", maxHeldBytesOfPeer); !ok || len(h.of) != 2 {
		t.Errorf("what was given back is not there: %v", h.of)
	}
}
