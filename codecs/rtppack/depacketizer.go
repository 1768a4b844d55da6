package rtppack

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
)

// DefaultWait is how long a Depacketizer waits for a missing packet unless told
// otherwise: a retransmission or two over a link of 80 ms round trip.
const DefaultWait = 200 * time.Millisecond

// Limits of what a Depacketizer holds back behind a missing packet, above what a
// cached group of pictures sent in a burst needs.
const (
	maxHeldPackets = 2048
	maxHeldBytes   = 4 << 20
)

// Depacketizer makes units of the RTP packets of one SSRC: the reverse of Pack.
// It puts packets in order, waits a while for missing ones, and drops access
// units of which something is missing. It has no goroutine and no clock: time
// comes with Push and Flush. Not safe for concurrent use.
//
// A unit is complete at a packet with the marker bit (RFC 6184 §5.1, RFC 7798
// §4.1), which is when Push returns it, or at the first packet with another time
// stamp. Units come in the order of sending. It reads what Pack makes and what
// else RFC 6184 packetization mode 1 and RFC 7798 without DONL allow; other
// packets break their access unit.
type Depacketizer struct {
	// Wait is how long a missing packet is waited for after a later one has
	// come, before it counts as lost. May be changed at any time. Zero: not
	// at all.
	Wait time.Duration

	codec     codecs.Codec
	clockRate int

	started bool
	next    int64 // unwrapped sequence number to go on with
	restart int64 // sequence number that would confirm a restart; 0 = none
	gap     bool  // packets before the next one were given up

	held  []packet  // behind a missing packet, in order
	bytes int       // in held
	since time.Time // when the first of held arrived

	timestamp uint32 // of the last unit
	pts       int64  // of the last unit

	reportWall      time.Time // zero: no report yet
	reportTimestamp uint32

	unit  unitBuilder
	stats DepacketizerStats
}

// packet is what is kept of an RTP packet.
type packet struct {
	sequence  int64
	timestamp uint32
	marker    bool
	payload   []byte
	arrived   time.Time
}

// NewDepacketizer returns a depacketizer for a codec that Pack knows, with the
// RTP clock's rate in Hz. It waits DefaultWait for missing packets.
func NewDepacketizer(c codecs.Codec, clockRate int) *Depacketizer {
	return &Depacketizer{Wait: DefaultWait, codec: c, clockRate: clockRate, unit: unitBuilder{codec: c}}
}

// Stats returns the counters.
func (d *Depacketizer) Stats() DepacketizerStats { return d.stats }

// SenderReport takes the wall clock time and the RTP time stamp that an RTCP
// sender report puts together (RFC 3550 §6.4.1); units get their Wall from it.
func (d *Depacketizer) SenderReport(wall time.Time, timestamp uint32) {
	d.reportWall, d.reportTimestamp = wall, timestamp
}

// Push takes a packet that arrived at the given time, and returns the units that
// became complete, mostly none or one. The packet may be reused afterwards.
func (d *Depacketizer) Push(p *rtp.Packet, arrived time.Time) []*codecs.Unit {
	d.stats.Packets++
	k := packet{
		sequence:  int64(p.SequenceNumber),
		timestamp: p.Timestamp,
		marker:    p.Marker,
		payload:   p.Payload,
		arrived:   arrived,
	}
	if !d.started {
		d.start(k.sequence)
	}
	// The unwrapped number nearest to the one expected.
	k.sequence = d.next + int64(int16(p.SequenceNumber-uint16(d.next)))

	var out []*codecs.Unit
	switch ahead := k.sequence - d.next; {
	case ahead < 0:
		if !d.restarted(k.sequence) {
			d.stats.Late++
			return d.giveUp(nil, arrived)
		}
		out = d.skipAll(out)
		d.start(k.sequence)
	case ahead >= maxHeldPackets:
		// The sender went on while nothing came: there is no hope for
		// what is missing.
		out = d.skipAll(out)
		d.skipTo(k.sequence)
	}
	d.restart = 0
	if k.sequence == d.next {
		d.next++
		out = d.process(out, &k)
		out = d.drain(out)
	} else {
		d.hold(k)
	}
	return d.giveUp(out, arrived)
}

// Flush gives up the missing packets that have been waited for long enough, and
// returns the units that became complete by that. It is to be called at
// Deadline, lest units wait for the next Push.
func (d *Depacketizer) Flush(now time.Time) []*codecs.Unit { return d.giveUp(nil, now) }

// Deadline returns when Flush has something to do; ok is false while no packet
// is missing.
func (d *Depacketizer) Deadline() (at time.Time, ok bool) {
	if len(d.held) == 0 {
		return time.Time{}, false
	}
	return d.since.Add(d.Wait), true
}

// start begins at a sequence number; an access unit that began before it is
// dropped without being counted.
func (d *Depacketizer) start(sequence int64) {
	d.started = true
	d.next = sequence
	d.gap = false
	d.unit.abandon()
}

// restarted reports whether a packet far behind shows that the sender began a
// new sequence: it takes two in a row (as in RFC 3550 §A.1).
func (d *Depacketizer) restarted(sequence int64) bool {
	if d.next-sequence < maxHeldPackets {
		return false
	}
	if d.restart != 0 && sequence == d.restart {
		return true
	}
	d.restart = sequence + 1
	return false
}

// hold keeps a copy of a packet that came too early.
func (d *Depacketizer) hold(k packet) {
	i, found := slices.BinarySearchFunc(d.held, k, func(a, b packet) int { return cmp.Compare(a.sequence, b.sequence) })
	if found {
		d.stats.Late++
		return
	}
	if len(d.held) == 0 || k.arrived.Before(d.since) {
		d.since = k.arrived
	}
	k.payload = bytes.Clone(k.payload)
	d.bytes += len(k.payload)
	d.held = slices.Insert(d.held, i, k)
}

// drain processes the packets held that are next in order.
func (d *Depacketizer) drain(out []*codecs.Unit) []*codecs.Unit {
	n := 0
	for n < len(d.held) && d.held[n].sequence == d.next {
		d.next++
		d.bytes -= len(d.held[n].payload)
		out = d.process(out, &d.held[n])
		n++
	}
	if n == 0 {
		return out
	}
	d.held = slices.Delete(d.held, 0, n)
	for i, k := range d.held {
		if i == 0 || k.arrived.Before(d.since) {
			d.since = k.arrived
		}
	}
	return out
}

// giveUp passes over missing packets that have been waited for long enough, or
// behind which too much is held.
func (d *Depacketizer) giveUp(out []*codecs.Unit, now time.Time) []*codecs.Unit {
	for {
		at, ok := d.Deadline()
		if !ok || now.Before(at) && len(d.held) <= maxHeldPackets && d.bytes <= maxHeldBytes {
			return out
		}
		d.skipTo(d.held[0].sequence)
		out = d.drain(out)
	}
}

// skipAll passes over all missing packets before those held.
func (d *Depacketizer) skipAll(out []*codecs.Unit) []*codecs.Unit {
	for len(d.held) > 0 {
		d.skipTo(d.held[0].sequence)
		out = d.drain(out)
	}
	return out
}

// skipTo counts the packets up to a sequence number as lost.
func (d *Depacketizer) skipTo(sequence int64) {
	if missing := sequence - d.next; missing > 0 {
		d.stats.Lost += uint64(missing)
		d.next = sequence
		d.gap = true
	}
}

// process takes the next packet in order.
func (d *Depacketizer) process(out []*codecs.Unit, k *packet) []*codecs.Unit {
	if len(k.payload) == 0 {
		return out // only padding, as a bandwidth probe
	}
	gap := d.gap
	d.gap = false
	if !d.codec.Video() {
		d.unit.begin(k.timestamp, false)
		d.unit.addFrame(k)
		return d.finish(out)
	}
	if d.unit.active && d.unit.timestamp != k.timestamp {
		if gap {
			d.unit.broken = true // its end may be missing
		}
		out = d.finish(out)
	}
	switch {
	case !d.unit.active:
		d.unit.begin(k.timestamp, gap)
	case gap:
		d.unit.broken = true
	}
	d.unit.add(k)
	if k.marker {
		out = d.finish(out)
	}
	return out
}

// finish ends the access unit in progress.
func (d *Depacketizer) finish(out []*codecs.Unit) []*codecs.Unit {
	u, broken := d.unit.finish()
	if broken {
		d.stats.Broken++
	}
	if u == nil {
		return out
	}
	d.stats.Units++
	u.PTS = d.unwrap(d.unit.timestamp)
	if !d.reportWall.IsZero() && d.clockRate > 0 {
		after := int64(int32(d.unit.timestamp - d.reportTimestamp))
		u.Wall = d.reportWall.Add(time.Duration(after) * time.Second / time.Duration(d.clockRate))
	}
	return append(out, u)
}

// unwrap extends a time stamp to 64 bits. The first one stays as it is.
func (d *Depacketizer) unwrap(timestamp uint32) int64 {
	if d.stats.Units == 1 {
		d.pts = int64(timestamp)
	} else {
		d.pts += int64(int32(timestamp - d.timestamp))
	}
	d.timestamp = timestamp
	return d.pts
}
