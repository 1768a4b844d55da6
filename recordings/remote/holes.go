package remote

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
)

// holes are the fragments of one stream that an agent has and the recordings lack.
// Safe for concurrent use.
type holes struct {
	mu      sync.Mutex
	entries []fragment.Entry // by start
	bytes   int64
	agent   *atomic.Int64 // entries of all streams of the agent; nil: it does not matter
	waiting time.Time     // nothing is fetched before: the disk, or the agent, refused
}

// maxHoles bounds the list, and agentHoles those of all cameras of an agent together;
// the oldest are given up.
const maxHoles = 64 << 10

// add notes entries that are missing.
func (h *holes) add(entries ...fragment.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(entries) > 64 {
		h.mergeLocked(entries)
	} else {
		for _, e := range entries {
			e.Head = nil
			if i, found := h.findLocked(e.StartUs); !found {
				h.entries = slices.Insert(h.entries, i, e)
				h.countLocked(1, e)
			}
		}
	}
	for len(h.entries) > maxHoles || len(h.entries) > 0 && h.agent != nil && h.agent.Load() > agentHoles {
		h.countLocked(-1, h.entries[0])
		h.entries = h.entries[1:]
	}
}

// mergeLocked adds many entries, in whatever order they are.
func (h *holes) mergeLocked(entries []fragment.Entry) {
	all := slices.Concat(h.entries, entries)
	for _, e := range h.entries {
		h.countLocked(-1, e)
	}
	slices.SortStableFunc(all, func(a, b fragment.Entry) int { return cmp.Compare(a.StartUs, b.StartUs) })
	h.entries = slices.CompactFunc(all, func(a, b fragment.Entry) bool { return a.StartUs == b.StartUs })
	for i := range h.entries {
		h.entries[i].Head = nil
		h.countLocked(1, h.entries[i])
	}
}

// countLocked counts an entry that came or went.
func (h *holes) countLocked(n int, e fragment.Entry) {
	h.bytes += int64(n) * int64(e.Bytes)
	if h.agent != nil {
		h.agent.Add(int64(n))
	}
}

// set replaces all of them.
func (h *holes) set(entries []fragment.Entry) {
	h.mu.Lock()
	for _, e := range h.entries {
		h.countLocked(-1, e)
	}
	h.entries = nil
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
		h.countLocked(-1, h.entries[i])
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
