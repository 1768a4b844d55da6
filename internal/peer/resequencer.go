package peer

import (
	"time"

	"github.com/pion/rtp"
)

const (
	// resequencerSize is how many packets are held while one is missing, and
	// the largest step that is taken for loss rather than for a new stream.
	// 4 s of a 4 Mbit/s stream.
	resequencerSize = 2048
	// reorderGrace is how long a packet may be late before it is asked for.
	reorderGrace = 5 * time.Millisecond
	// minNackGap is the shortest time between two requests for one packet.
	minNackGap = 20 * time.Millisecond
	// maxNackBatch is how many packets are asked for at a time.
	maxNackBatch = 256
)

// resequencer puts the packets of one RTP stream in order, says which to ask
// for again, and gives up on those that stay away for longer than patience.
// Sequence numbers are RFC 3550 §A.1's, extended to 64 bits. Not safe for
// concurrent use.
type resequencer struct {
	patience time.Duration // constant

	started bool
	next    uint64 // the next to hand out
	highest uint64 // the highest received
	slots   [resequencerSize]slot

	received, duplicates, lost, recovered, nacked uint64
}

// slot is what is known of one sequence number between next and highest.
type slot struct {
	packet *rtp.Packet
	since  time.Time // when it was found missing; zero once it has arrived
	asked  time.Time // when it was last asked for
}

func newResequencer(patience time.Duration) *resequencer {
	return &resequencer{patience: patience}
}

func (r *resequencer) slot(seq uint64) *slot { return &r.slots[seq%resequencerSize] }

// push takes a packet and returns those that are now in order. gap says that
// packets before the first of them are lost for good.
func (r *resequencer) push(now time.Time, p *rtp.Packet) (out []*rtp.Packet, gap bool) {
	if !r.started {
		r.restart(p.SequenceNumber)
	}
	seq := r.highest + uint64(int64(int16(p.SequenceNumber-uint16(r.highest)))) //nolint:gosec // wraps by design
	switch {
	case seq >= r.highest+resequencerSize || seq+resequencerSize <= r.highest:
		r.lost += r.missing()
		r.restart(p.SequenceNumber)
		seq = r.next
		gap = true
	case seq < r.next:
		r.duplicates++ // or too late
		return nil, false
	}
	// Slots are reused: whatever would be overwritten is given up.
	for seq >= r.next+resequencerSize {
		more, lost := r.skip()
		out, gap = append(out, more...), gap || lost
	}
	for s := r.highest + 1; s <= seq; s++ {
		*r.slot(s) = slot{since: now}
	}
	s := r.slot(seq)
	if s.packet != nil {
		r.duplicates++
		return out, gap
	}
	if !s.asked.IsZero() {
		r.recovered++
	}
	r.received++
	*s = slot{packet: p}
	r.highest = max(r.highest, seq)
	return append(out, r.inOrder()...), gap
}

// restart begins a new stream at seq.
func (r *resequencer) restart(seq uint16) {
	base := (r.highest + 2<<16) &^ 0xffff // room for packets before the first
	r.started = true
	r.next = base + uint64(seq)
	r.highest = r.next
	clear(r.slots[:])
}

// inOrder takes out what needs no more waiting.
func (r *resequencer) inOrder() (out []*rtp.Packet) {
	for r.next <= r.highest {
		s := r.slot(r.next)
		if s.packet == nil {
			return out
		}
		out = append(out, s.packet)
		*s = slot{}
		r.next++
	}
	return out
}

// skip gives up on what is missing at the front and takes out what follows.
func (r *resequencer) skip() (out []*rtp.Packet, lost bool) {
	for r.next <= r.highest && r.slot(r.next).packet == nil {
		*r.slot(r.next) = slot{}
		r.next++
		r.lost++
		lost = true
	}
	return r.inOrder(), lost
}

// missing counts the packets waited for.
func (r *resequencer) missing() (n uint64) {
	for s := r.next; s <= r.highest; s++ {
		if r.slot(s).packet == nil {
			n++
		}
	}
	return n
}

// waiting reports whether anything is missing.
func (r *resequencer) waiting() bool { return r.started && r.next <= r.highest }

// expire gives up on packets that stayed away too long; see push for the
// results.
func (r *resequencer) expire(now time.Time) (out []*rtp.Packet, gap bool) {
	for r.waiting() {
		s := r.slot(r.next)
		if s.packet == nil && now.Sub(s.since) < r.patience {
			return out, gap
		}
		more, lost := r.skip()
		out, gap = append(out, more...), gap || lost
	}
	return out, gap
}

// requests returns the sequence numbers to ask for now, at most maxNackBatch.
// A packet is asked for again when an answer should have come by rtt.
func (r *resequencer) requests(now time.Time, rtt time.Duration) (seqs []uint16) {
	if !r.waiting() {
		return nil
	}
	again := max(minNackGap, rtt+rtt/4)
	for seq := r.next; seq <= r.highest && len(seqs) < maxNackBatch; seq++ {
		s := r.slot(seq)
		if s.packet != nil || now.Sub(s.since) < reorderGrace || now.Sub(s.asked) < again {
			continue
		}
		s.asked = now
		r.nacked++
		seqs = append(seqs, uint16(seq)) //nolint:gosec // the low 16 bits
	}
	return seqs
}
