package peer

import (
	"slices"
	"time"
)

const (
	// maxMissing is how many packets are asked for at a time, and the largest
	// step in sequence numbers that is taken for loss rather than for a new
	// stream: 4 s of a 4 Mbit/s stream.
	maxMissing = 2048
	// reorderGrace is how long a packet may be late before it is asked for.
	reorderGrace = 5 * time.Millisecond
	// minNackGap is the shortest time between two requests for one packet.
	minNackGap = 20 * time.Millisecond
	// maxNackBatch is how many packets one request names at most.
	maxNackBatch = 256
)

// nackTracker knows which packets of an RTP stream to ask for again (RFC 4585
// §6.2.1). Unlike pion's, it sees what comes back on the RTX stream, and asks no
// more for that. Not safe for concurrent use.
type nackTracker struct {
	patience time.Duration // constant: how long a packet is asked for

	started bool
	highest uint64          // highest sequence number received, extended
	missing []missingPacket // in order

	recovered, requested uint64
}

type missingPacket struct {
	seq   uint64
	since time.Time // when its absence was noticed
	asked time.Time // when it was last asked for; zero if never
}

// arrived takes the sequence number of a packet.
func (n *nackTracker) arrived(now time.Time, seq uint16) {
	if !n.started {
		n.started, n.highest = true, 1<<16+uint64(seq) // room for packets before the first
		return
	}
	step := int64(int16(seq - uint16(n.highest))) // wraps on purpose (RFC 3550 §A.1)
	at := n.highest + uint64(step)                // wraps on purpose
	switch {
	case step > maxMissing || step < -maxMissing: // a new stream
		n.missing = nil
		n.highest += 1<<16 + uint64(seq-uint16(n.highest)) // the low 16 bits
	case step > 0:
		for s := n.highest + 1; s < at; s++ {
			n.missing = append(n.missing, missingPacket{seq: s, since: now})
		}
		if over := len(n.missing) - maxMissing; over > 0 {
			n.missing = slices.Delete(n.missing, 0, over)
		}
		n.highest = at
	default:
		i, found := slices.BinarySearchFunc(n.missing, at, func(m missingPacket, s uint64) int {
			return int(int64(m.seq - s)) // less than 2^16 apart
		})
		if !found {
			return // twice, or given up
		}
		if !n.missing[i].asked.IsZero() {
			n.recovered++
		}
		n.missing = slices.Delete(n.missing, i, i+1)
	}
}

// requests returns the sequence numbers to ask for now, in order. A packet is
// asked for again when the answer should have come by the round trip time.
func (n *nackTracker) requests(now time.Time, rtt time.Duration) (seqs []uint16) {
	n.missing = slices.DeleteFunc(n.missing, func(m missingPacket) bool { return now.Sub(m.since) >= n.patience })
	again := max(minNackGap, rtt+rtt/4)
	for i := range n.missing {
		m := &n.missing[i]
		if len(seqs) == maxNackBatch {
			break
		}
		if now.Sub(m.since) < reorderGrace || now.Sub(m.asked) < again {
			continue
		}
		m.asked = now
		seqs = append(seqs, uint16(m.seq)) // the low 16 bits
	}
	n.requested += uint64(len(seqs))
	return seqs
}

// waiting reports whether anything is missing.
func (n *nackTracker) waiting() bool { return len(n.missing) > 0 }
