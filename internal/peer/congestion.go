package peer

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/rtcp"
)

const (
	// queueHigh is the standing queue in the network above which the path
	// counts as congested, queueLow below which it counts as clear again.
	// Both leave room for the time one packet takes on a link of 200 kbit/s.
	queueHigh = 110 * time.Millisecond
	queueLow  = 70 * time.Millisecond
	// queueSign and lossSign are when GCC begins to watch.
	queueSign = 40 * time.Millisecond
	lossSign  = 0.03
	// lossHigh is the loss from which a path without a queue (a policer)
	// counts as congested. Random loss of a radio link stays below.
	lossHigh = 0.12
	// manyPackets is how many it takes for that: of few, chance alone loses more
	// now and then.
	manyPackets = 100
	// feedbackTimeout is how long feedback may be missing while packets are
	// on their way.
	feedbackTimeout = 800 * time.Millisecond
	// feedbackDue is how many packets a receiver may have seen without
	// reporting: some wait for a few.
	feedbackDue = 8

	twccHistory = 1024 // packets; 4 s at 2 Mbit/s
	minTarget   = 100_000
	maxTarget   = 100_000_000
)

// congestion is what one session knows about its path by transport-wide
// feedback. A standing queue or loss is the evidence that something has to give:
// GCC alone also steps down when the sender merely has little to send and the
// receiver's clock jitters. Packet trains tell what fits through, and pion's GCC,
// which works from the first sign of a queue on, the rate to fall to.
//
// Time is an argument. Safe for concurrent use.
type congestion struct {
	bwe atomic.Pointer[gcc.SendSideBWE] // nil while the path is clear

	epoch time.Time    // constant
	near  atomic.Int32 // a nearness: how far the viewer is

	mu          sync.Mutex
	seq         uint16 // next transport-wide sequence number
	sent        []sentPacket
	train       uint32
	trainAt     time.Time
	base        windowedMin
	trip        windowedMin   // from sending a packet to hearing of it
	run         trainRun      // a train may come in several reports
	rtt         time.Duration // smallest trip: an upper bound of the round-trip time
	queue       time.Duration
	loss        float64 // of the last second
	lossOfMany  float64 // of the last manyPackets, if those took longer
	congested   bool
	since       time.Time     // of the present value of congested
	strikes     int           // feedback reports in a row that speak for a change
	struck      time.Time     // time of the first of them
	lastArrival time.Duration // of the newest packet reported, receiver's clock
	open        int           // packets sent since the last feedback
	capacities  []capacity    // of the last packet trains
	judged      time.Time     // time of the last report
	oldestOpen  time.Time     // first packet sent after the last feedback
	reports     int
	signed      time.Time // of the last sign of a queue or loss
}

// capacity is what one packet train measured.
type capacity struct {
	at      time.Time
	bitrate float64
}

// sentPacket is what is remembered of a packet for its report: 16 bytes.
type sentPacket struct {
	at    time.Duration // since epoch; 0: never sent
	train uint32
	size  uint16
	seq   uint16
}

func newCongestion(now time.Time) *congestion {
	return &congestion{epoch: now.Add(-time.Second), sent: make([]sentPacket, twccHistory)}
}

// close ends the estimator. No feedback may follow.
func (c *congestion) close() {
	if bwe := c.bwe.Swap(nil); bwe != nil {
		_ = bwe.Close()
	}
}

// estimateLocked starts GCC at the first sign of a queue, and ends it when the
// path has been clear for long: it costs as much as encryption.
func (c *congestion) estimateLocked(now time.Time) {
	bwe := c.bwe.Load()
	far := nearness(c.near.Load()) == elsewhere
	sign := c.congested || far && (c.loss > lossSign || c.queue > queueSign)
	if sign {
		c.signed = now
	}
	switch {
	case sign && bwe == nil:
		initial, fresh := c.capacityLocked(now)
		if !fresh {
			initial = initialTarget
		}
		bwe, err := gcc.NewSendSideBWE(
			gcc.SendSideBWEPacer(gcc.NewNoOpPacer()),
			gcc.SendSideBWEInitialBitrate(min(max(initial, minTarget), maxTarget)),
			gcc.SendSideBWEMinBitrate(minTarget),
			gcc.SendSideBWEMaxBitrate(maxTarget),
		)
		if err == nil { // it fails on wrong options only
			c.bwe.Store(bwe)
		}
	case bwe != nil && now.Sub(c.signed) > time.Minute:
		c.close()
	}
}

// next returns the transport-wide sequence number of a packet of size bytes
// that is about to be sent. Not every receiver reports on retransmissions, so
// silence about them means nothing.
func (c *congestion) next(now time.Time, size int, retransmission bool) uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.trainAt) > time.Millisecond {
		c.train++
		c.trainAt = now
	}
	seq := c.seq
	c.seq++
	c.sent[seq%twccHistory] = sentPacket{at: now.Sub(c.epoch), size: uint16(size), train: c.train, seq: seq}
	if !retransmission {
		if c.open == 0 {
			c.oldestOpen = now
		}
		c.open++
	}
	return seq
}

// feedback takes a transport-wide feedback report.
func (c *congestion) feedback(now time.Time, fb *rtcp.TransportLayerCC) {
	if bwe := c.bwe.Load(); bwe != nil {
		// It refuses only reports it cannot read; they are the peer's
		// problem, and the queue below goes on without it.
		_ = bwe.WriteRTCP([]rtcp.Packet{fb}, nil)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = 0
	c.reports++
	lost, got, bytes := 0, 0, 0
	before := c.lastArrival
	queue := time.Duration(math.MaxInt64)
	eachArrival(fb, func(seq uint16, arrived time.Duration, ok bool) {
		p := c.sent[seq%twccHistory]
		if p.seq != seq || p.at == 0 {
			return
		}
		if !ok {
			lost++
			return
		}
		got++
		bytes += int(p.size)
		c.rtt = c.trip.update(now, now.Sub(c.epoch)-p.at)
		c.lastArrival = arrived
		// Both clocks run at the same rate; their offset cancels out in the
		// distance from the smallest value seen.
		owd := arrived - p.at
		queue = min(queue, owd-c.base.update(now, owd))
		if r, ok := c.run.add(p, arrived); ok {
			c.addCapacityLocked(now, r)
		}
	})
	if got == 0 {
		return
	}
	c.queue = queue
	c.judgeLocked(now, lost, got)
	if span := c.lastArrival - before; queue > queueHigh && before > 0 && span > 20*time.Millisecond && span < time.Second {
		c.addCapacityLocked(now, float64(bytes*8)/span.Seconds()) // with a queue standing, what comes out is what fits through
	}
	c.estimateLocked(now)
}

// capacityAge is how long a train's measurement counts.
const capacityAge = 15 * time.Second

func (c *congestion) addCapacityLocked(now time.Time, bitrate float64) {
	const keep = 3
	if len(c.capacities) == keep {
		c.capacities = slices.Delete(c.capacities, 0, 1)
	}
	c.capacities = append(c.capacities, capacity{now, bitrate})
}

// capacityLocked returns the median of the last trains, 0 while unknown, and
// whether it is recent.
func (c *congestion) capacityLocked(now time.Time) (bitrate int, fresh bool) {
	var rates []float64
	for _, s := range c.capacities {
		rates = append(rates, s.bitrate)
		fresh = fresh || now.Sub(s.at) < capacityAge
	}
	if len(rates) == 0 {
		return 0, false
	}
	slices.Sort(rates)
	return int(rates[(len(rates)-1)/2]), fresh
}

// judgeLocked takes a report with got packets arrived and lost ones.
func (c *congestion) judgeLocked(now time.Time, lost, got int) {
	share, since := float64(lost)/float64(lost+got), now.Sub(c.judged).Seconds()
	c.judged = now
	c.loss += (1 - math.Exp(-since)) * (share - c.loss)
	c.lossOfMany += (1 - math.Exp(-min(since, float64(lost+got)/manyPackets))) * (share - c.lossOfMany)
	high, lasting := queueHigh, time.Duration(0)
	switch nearness(c.near.Load()) {
	case sameHost:
		c.congested = false
		return
	case sameNetwork:
		// A pause of the viewer's machine is more likely than a queue; a
		// queue lasts.
		high, lasting = 3*queueHigh, 500*time.Millisecond
	case elsewhere:
	}
	bad := c.queue > high || min(c.loss, c.lossOfMany) > lossHigh
	good := c.queue < queueLow && c.loss < lossHigh/2
	if (!c.congested && bad) || (c.congested && good) {
		if c.strikes++; c.strikes == 1 {
			c.struck = now
		}
	} else {
		c.strikes = 0
	}
	if c.strikes < 2 || (!c.congested && now.Sub(c.struck) < lasting) {
		return
	}
	c.congested, c.since, c.strikes = !c.congested, now, 0
	if c.congested { // what was measured before is of another path
		c.capacities = slices.DeleteFunc(c.capacities, func(s capacity) bool { return s.at.Before(c.struck) })
	}
}

// pathState is a snapshot of a congestion.
type pathState struct {
	congested bool
	since     time.Time     // of congested
	target    int           // GCC's rate, bit/s
	rtt       time.Duration // upper bound, 0 while unknown
	queue     time.Duration // standing queue in the network
	loss      float64       // 0..1, of transport-wide feedback
	capacity  int           // bit/s by packet trains, 0 while unknown
	fresh     bool          // capacity is recent
	measured  bool          // feedback has come
}

// allowed returns the rate to send at while the path is congested: GCC's, kept
// in a band around what packet trains got through.
func (s pathState) allowed() int {
	rate := s.target
	if s.capacity > 0 {
		rate = min(max(rate, s.capacity*6/10), s.capacity*9/10)
	}
	return max(rate, minTarget)
}

func (c *congestion) state(now time.Time) pathState {
	target := initialTarget
	if bwe := c.bwe.Load(); bwe != nil {
		target = bwe.GetTargetBitrate()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := pathState{congested: c.congested, since: c.since, target: target, rtt: c.rtt, queue: c.queue, loss: c.loss, measured: c.reports > 0}
	if near := nearness(c.near.Load()); near != sameHost && c.reports > 0 && c.open >= feedbackDue && now.Sub(c.oldestOpen) > feedbackTimeout {
		s.congested, s.queue = true, now.Sub(c.oldestOpen) // nothing comes back: the link is cut or full
	}
	s.capacity, s.fresh = c.capacityLocked(now)
	return s
}

// trainRun measures the rate at which a train of packets, sent at once, came
// out of the narrowest link.
type trainRun struct {
	train       uint32
	n, bytes    int // bytes without the first packet
	first, last time.Duration
}

const minTrain = 4 // packets

func (r *trainRun) add(p sentPacket, arrived time.Duration) (bitrate float64, ok bool) {
	if r.n > 0 && p.train == r.train && arrived >= r.last {
		r.n++
		r.bytes += int(p.size)
		r.last = arrived
		return 0, false
	}
	bitrate, ok = r.end()
	*r = trainRun{train: p.train, n: 1, first: arrived, last: arrived}
	return bitrate, ok
}

func (r *trainRun) end() (bitrate float64, ok bool) {
	if r.n < minTrain {
		return 0, false
	}
	span := max(r.last-r.first, 250*time.Microsecond) // the feedback's resolution
	return float64(r.bytes*8) / span.Seconds(), true
}

// windowedMin is the minimum of the last 15 to 30 s: long enough to see an
// empty queue, short enough for the drift of two clocks.
type windowedMin struct {
	prev, cur time.Duration
	started   time.Time
	has, hasP bool
}

func (w *windowedMin) update(now time.Time, v time.Duration) time.Duration {
	if !w.has {
		w.cur, w.has, w.started = v, true, now
	}
	if now.Sub(w.started) > 15*time.Second {
		w.prev, w.hasP, w.cur, w.started = w.cur, true, v, now
	}
	w.cur = min(w.cur, v)
	if w.hasP {
		return min(w.prev, w.cur)
	}
	return w.cur
}

// eachArrival walks the packets of a transport-wide feedback report
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
func eachArrival(fb *rtcp.TransportLayerCC, f func(seq uint16, arrived time.Duration, ok bool)) {
	at := time.Duration(fb.ReferenceTime) * 64 * time.Millisecond
	seq, left, deltas := fb.BaseSequenceNumber, int(fb.PacketStatusCount), fb.RecvDeltas
	one := func(symbol uint16) {
		if left == 0 {
			return
		}
		left--
		received := symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta
		if received && len(deltas) > 0 {
			at += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
			f(seq, at, true)
		} else {
			f(seq, 0, false)
		}
		seq++
	}
	for _, chunk := range fb.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				one(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, s := range c.SymbolList {
				one(s)
			}
		}
	}
}
