package remote

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
)

// holes are the fragments of one stream that an agent has and the recordings lack.
// Safe for concurrent use.
type holes struct {
	mu      sync.Mutex
	entries []fragment.Entry // by start
	bytes   int64
	waiting time.Time // nothing is fetched before: the disk, or the agent, refused
}

// maxHoles bounds the list; the oldest are given up.
const maxHoles = 64 << 10

// add notes entries that are missing.
func (h *holes) add(entries ...fragment.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range entries {
		e.Head = nil
		i, found := h.findLocked(e.StartUs)
		if !found {
			h.entries = slices.Insert(h.entries, i, e)
			h.bytes += int64(e.Bytes)
		}
	}
	for len(h.entries) > maxHoles {
		h.bytes -= int64(h.entries[0].Bytes)
		h.entries = h.entries[1:]
	}
}

// set replaces all of them.
func (h *holes) set(entries []fragment.Entry) {
	h.mu.Lock()
	h.entries, h.bytes = nil, 0
	h.mu.Unlock()
	h.add(entries...)
}

func (h *holes) findLocked(start int64) (int, bool) {
	return slices.BinarySearchFunc(h.entries, start, func(e fragment.Entry, s int64) int { return cmp.Compare(e.StartUs, s) })
}

// remove takes out one that is filled, or cannot be.
func (h *holes) remove(e fragment.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i, found := h.findLocked(e.StartUs); found {
		h.bytes -= int64(h.entries[i].Bytes)
		h.entries = slices.Delete(h.entries, i, i+1)
	}
}

// newest returns the end of the newest hole: entries that follow each other, at most
// as long as told, in order. It is empty if nothing is missing, or it is to wait.
func (h *holes) newest(now time.Time, longest time.Duration) []fragment.Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.entries)
	if n == 0 || now.Before(h.waiting) {
		return nil
	}
	first := n - 1
	for first > 0 {
		before, e := &h.entries[first-1], &h.entries[first]
		if before.EndUs() != e.StartUs || e.After != "" || h.entries[n-1].EndUs()-before.StartUs > longest.Microseconds() {
			break
		}
		first--
	}
	return slices.Clone(h.entries[first:])
}

// wait keeps the holes from being filled for a while.
func (h *holes) wait(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = until
}

// left returns how much is missing.
func (h *holes) left() (fragments int, bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.entries), h.bytes
}
