package peer

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"github.com/sightline-cam/sightline/codecs/rtppack"
)

const (
	// maxAge is how old a frame may be on a congested path; what is older is
	// left out up to the next key frame, so that the delay cannot grow.
	maxAge = 300 * time.Millisecond
	// burstFactor is how many times faster than live the cached GOP is sent.
	burstFactor = 30
	// lanBurst and wanBurst are the rates, in bit/s, of a first burst into a
	// path nothing is known of: in the same network, and elsewhere.
	lanBurst = 80_000_000
	wanBurst = 6_000_000
	// trainDepth is how many bytes leave at once on a paced path: five
	// packets, enough to measure the path by.
	trainDepth = 6_000
	lanDepth   = 24_000

	// waitForCheaper is how long a cheaper rendition may take to come before
	// key frames of the present one are sent instead.
	waitForCheaper = 3 * time.Second

	// stalledAfter is how long a rendition may deliver nothing before another
	// one takes its place, if that has had a key frame in the last aliveFor.
	stalledAfter = 3 * time.Second
	aliveFor     = 15 * time.Second

	reportInterval = time.Second
	// pliInterval is the shortest time between two replays of the cached GOP. It
	// doubles up to pliLongest while the viewer goes on asking, for each replay
	// may be many times what the camera sends meanwhile; it starts over after
	// pliCalm without one.
	pliInterval = 500 * time.Millisecond
	pliLongest  = 8 * time.Second
	pliCalm     = 2 * pliLongest
)

// videoSender sends one camera to one viewer. Its loop owns everything but the
// counters: it reads frames from a shared ring, numbers and encrypts their
// packets, answers NACKs and steps along the ladder.
type videoSender struct {
	// Constant after construction.
	session *Session
	out     *rtpOut
	nacks   chan []uint16 // bounded; overflow is counted, the viewer asks again
	pli     chan struct{} // capacity 1
	streams chan Stream   // capacity 1: what to send from now on, nil = nothing

	// Owned by run.
	stream     Stream
	feed       Feed
	rendition  int
	waiting    Feed // a feed of the next rendition, until its key frame comes
	waitSince  time.Time
	ladder     *ladder
	meters     []meter
	pacer      pacer
	times      *timeline
	cur        *rtppack.Frame // being sent
	curTS      uint32
	keyArrived time.Time // arrival of the newest key frame sent
	index      int       // of the next payload of cur
	catching   bool
	untilKey   bool // leave out frames up to a key frame
	reported   time.Time
	replayed   time.Time
	replayGap  time.Duration // until the next one
	timer      *time.Timer
	fed        time.Time   // last frame, or change of feed
	stall      *time.Timer // looks whether frames come; runs with several renditions

	frames, dropped, nackOverflow, unsupported atomic.Uint64
	rung                                       atomic.Int32
}

func newVideoSender(s *Session, out *rtpOut, stream Stream) *videoSender {
	v := &videoSender{
		session: s, out: out,
		nacks:   make(chan []uint16, 64),
		pli:     make(chan struct{}, 1),
		streams: make(chan Stream, 1),
		times:   newTimeline(90000, minStep),
		timer:   time.NewTimer(time.Hour),
		stall:   time.NewTimer(time.Hour),
	}
	v.streams <- stream
	return v
}

// run sends until ctx ends or the feed does.
func (v *videoSender) run(ctx context.Context) {
	defer v.timer.Stop()
	defer v.stall.Stop()
	defer v.closeFeeds()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-v.streams:
			v.attach(s)
		case <-wake(v.feed):
		case <-wake(v.waiting):
		case <-v.timer.C:
		case <-v.stall.C:
			v.unstick(time.Now())
		case seqs := <-v.nacks:
			v.retransmit(time.Now(), seqs)
			continue
		case <-v.pli:
			v.replay(time.Now())
		}
		v.pump(time.Now())
	}
}

func wake(f Feed) <-chan struct{} {
	if f == nil {
		return nil
	}
	return f.Wake()
}

func (v *videoSender) closeFeeds() {
	for _, f := range []Feed{v.feed, v.waiting} {
		if f != nil {
			f.Close()
		}
	}
	v.feed, v.waiting = nil, nil
}

// attach switches to another camera, or to none.
func (v *videoSender) attach(s Stream) {
	if s != nil && (s == v.stream || !v.session.ready()) {
		return // the session says it again when it is connected
	}
	v.closeFeeds()
	v.stream, v.cur = s, nil
	if s == nil {
		return
	}
	n := max(s.Renditions(), 1)
	v.meters = make([]meter, n)
	start := 0
	if !v.session.local() && v.out.cong != nil {
		start = n - 1 // a path nothing is known of: begin with what fits most
	}
	v.ladder = newLadder(n, start, v.need)
	v.open(v.ladder.rung().rendition)
}

// open goes to a rendition's cached key frame.
func (v *videoSender) open(rendition int) {
	if v.feed != nil {
		v.feed.Close()
	}
	if v.waiting != nil {
		v.waiting.Close()
		v.waiting = nil
	}
	v.follow(v.stream.Open(rendition), rendition)
	if len(v.meters) > 1 {
		v.stall.Reset(stalledAfter)
	}
}

// follow goes on with a feed that stands at a key frame.
func (v *videoSender) follow(f Feed, rendition int) {
	v.feed, v.rendition, v.fed = f, rendition, time.Now()
	v.catching, v.untilKey = true, false
	v.times.join()
}

// unstick goes on with another rendition where the present one has stopped
// coming: each has a connection of its own to the camera, and may be away alone.
func (v *videoSender) unstick(now time.Time) {
	if v.feed == nil {
		return // open starts the timer again
	}
	quiet := now.Sub(v.fed)
	if v.cur != nil || v.feed.Behind() > 0 || v.waiting != nil {
		quiet = 0 // the path is what takes time, or another is awaited already
	}
	if quiet < stalledAfter {
		v.stall.Reset(stalledAfter - quiet)
		return
	}
	v.stall.Reset(stalledAfter)
	for _, r := range v.ladder.renditions() {
		if r == v.rendition || !v.plays(r) {
			continue
		}
		f := v.stream.Open(r)
		if !f.SkipToFreshKey(aliveFor) {
			f.Close()
			continue
		}
		if r > v.rendition {
			v.waiting = v.feed // a stand-in, until the better one is back
		} else {
			v.feed.Close()
			v.ladder.move(now, r)
		}
		v.follow(f, r)
		return
	}
}

// plays reports whether the viewer takes what a rendition is known to be.
func (v *videoSender) plays(rendition int) bool {
	t, ok := v.stream.Track(rendition)
	return ok && v.out.supports(t.Codec)
}

// avoid leaves a rendition that the viewer cannot play for good, if there is
// another that it can.
func (v *videoSender) avoid(rendition int) bool {
	if !slices.ContainsFunc(v.ladder.renditions(), func(r int) bool { return r != rendition && v.plays(r) }) {
		return false
	}
	v.ladder.without(rendition)
	v.open(v.ladder.rung().rendition)
	return true
}

func (v *videoSender) need(r rung) int {
	if n, ok := v.meters[r.rendition].need(r.drop); ok {
		return n
	}
	main := v.meters[0].rateAll
	if main == 0 {
		main = 2_000_000
	}
	if r.drop == dropDeltas {
		main /= 8
	}
	for range r.rendition {
		main /= 6 // a guess, until the rendition was seen
	}
	return main
}

// pump sends what may be sent now.
func (v *videoSender) pump(now time.Time) {
	if v.feed == nil || !v.session.ready() {
		return
	}
	if v.cur != nil { // the path may have changed since the frame began
		st := v.session.pathState(now)
		v.pace(now, st, v.session.share(st.allowed()))
	}
	for v.cur != nil || v.next(now) {
		if wait := v.sendCurrent(now); wait > 0 {
			v.timer.Reset(wait)
			break
		}
		v.report(now)
	}
	v.out.flush()
}

// sendCurrent sends the rest of the current frame, or returns how long the
// pacer wants to wait.
func (v *videoSender) sendCurrent(now time.Time) time.Duration {
	payloads := v.cur.Payloads()
	for v.index < len(payloads) {
		if wait := v.pacer.take(now, len(payloads[v.index])+rtpOverhead); wait > 0 {
			return wait
		}
		if err := v.out.send(now, v.cur, v.index, v.curTS, v.index == len(payloads)-1); err != nil {
			break // the connection is going; its owner ends the session
		}
		v.index++
	}
	v.frames.Add(1)
	v.cur = nil
	return 0
}

// next makes the next frame that is to be sent the current one; false if there
// is none now.
func (v *videoSender) next(now time.Time) bool {
	st := v.session.pathState(now)
	for {
		v.promote()
		f, skipped, ok := v.feed.Next()
		if !ok || f == nil {
			v.catching = v.catching && f == nil && ok && v.feed.Behind() > 0
			return false
		}
		if skipped > 0 {
			v.dropped.Add(uint64(skipped))
			v.catching = true
		}
		v.fed = now
		if !v.out.supports(f.Codec) && v.avoid(v.rendition) {
			continue
		}
		v.meters[v.rendition].add(f.Unit)
		share := v.session.share(st.allowed())
		v.step(now, v.ladder.decide(now, st, share))
		if !v.admit(now, f, st) {
			v.dropped.Add(1)
			continue
		}
		v.pace(now, st, share)
		v.cur, v.index = f, 0
		v.curTS = v.times.stamp(f.Unit)
		if f.Unit.Key {
			v.keyArrived = f.Unit.Arrived
		}
		return true
	}
}

// admit says whether the frame is to be sent.
func (v *videoSender) admit(now time.Time, f *rtppack.Frame, st pathState) bool {
	if !v.out.supports(f.Codec) || len(f.Payloads()) == 0 {
		v.unsupported.Add(1)
		return false
	}
	r := v.ladder.rung()
	u := f.Unit
	if v.waiting != nil && r.rendition > v.rendition && (!u.Key || now.Sub(v.waitSince) < waitForCheaper) {
		return false // too much for the path; the cheaper one is on its way
	}
	if u.Key {
		v.untilKey = false
		return true
	}
	if v.untilKey {
		return false
	}
	if r.rendition == v.rendition && r.drop == dropDeltas || (st.congested || v.ladder.at > 0 && !v.catching) && now.Sub(u.Arrived) > maxAge {
		v.untilKey = true // what follows refers to what is left out
		return false
	}
	return r.drop != dropDiscardable || !u.Discardable
}

// step follows the ladder: another rendition is opened, and takes over with its
// next key frame.
func (v *videoSender) step(now time.Time, r rung) {
	v.rung.Store(int32(v.ladder.at))
	switch {
	case r.rendition == v.rendition:
		if v.waiting != nil {
			v.waiting.Close()
			v.waiting = nil
		}
	case v.waiting == nil:
		v.waiting, v.waitSince = v.stream.Open(r.rendition), now
		v.stream.RequestKeyFrame(r.rendition)
	}
}

// promote changes over to the waiting rendition with a key frame of it that has
// just arrived: cached frames of before would only add to the load, and show
// again what was shown already.
func (v *videoSender) promote() {
	if v.waiting == nil || !v.waiting.SkipToFreshKey(maxAge) {
		return
	}
	v.feed.Close()
	v.feed, v.waiting, v.rendition, v.fed = v.waiting, nil, v.ladder.rung().rendition, time.Now()
	v.untilKey = false
	v.times.join()
}

// pace sets the pacer for the next frame.
func (v *videoSender) pace(now time.Time, st pathState, share int) {
	switch {
	case st.congested:
		rate := share
		if st.queue > 3*queueHigh {
			rate /= 2 // let the queue drain
		}
		v.pacer.set(now, max(rate, minTarget), trainDepth)
	case v.ladder.at > 0 && st.capacity > 0 && !v.session.local():
		// Clear, but because of the ladder: a key frame must not fill the queue again.
		v.pacer.set(now, st.capacity*9/10, trainDepth)
	case v.catching && v.feed.Behind() > 1:
		rate, depth := burstRate(v.meters[v.rendition].rateAll, st, v.session.local())
		v.pacer.set(now, rate, depth)
	default:
		v.catching = v.catching && v.cur != nil && v.index > 0
		v.pacer.set(now, 0, 0) // live: a frame leaves as it came
	}
}

// burstRate returns how fast cached frames may be sent.
func burstRate(live int, st pathState, local bool) (rate, depth int) {
	if local {
		return max(burstFactor*live, lanBurst), lanDepth
	}
	rate = wanBurst
	if st.capacity > 0 {
		rate = min(st.capacity*8/10, max(burstFactor*live, wanBurst))
	}
	return max(rate, minTarget), trainDepth
}

// retransmit answers NACKs. On a narrow path it sends only what still matters,
// as far as the pacer lets it; the viewer asks again.
func (v *videoSender) retransmit(now time.Time, seqs []uint16) {
	st := v.session.pathState(now)
	gap := max(v.session.rtt(st)*3/4, 10*time.Millisecond)
	narrow := st.congested || v.ladder != nil && v.ladder.at > 0
	for _, seq := range seqs {
		s := v.out.history.get(seq)
		if s == nil {
			v.out.missing.Add(1)
			continue
		}
		if (narrow && s.frame.Unit.Arrived.Before(v.keyArrived)) || !v.pacer.allows(now) {
			continue
		}
		v.pacer.charge(v.out.resend(now, s, gap))
	}
	v.out.flush()
}

// replay answers a request for a key frame: the cached GOP is sent again from
// its key frame, and the camera is asked for a new one.
func (v *videoSender) replay(now time.Time) {
	if v.stream == nil || v.feed == nil {
		return
	}
	v.stream.RequestKeyFrame(v.rendition)
	quiet := now.Sub(v.replayed)
	if quiet < v.replayGap || v.session.pathState(now).congested {
		return
	}
	v.replayGap = min(2*max(v.replayGap, pliInterval/2), pliLongest)
	if quiet > pliCalm {
		v.replayGap = pliInterval
	}
	v.replayed = now
	v.cur = nil
	v.open(v.rendition)
}

// report sends a sender report (RFC 3550 §6.4.1) now and then.
func (v *videoSender) report(now time.Time) {
	if now.Sub(v.reported) < reportInterval || v.times.lastAt.IsZero() {
		return
	}
	v.reported = now
	v.session.writeRTCP(senderReport(v.out, v.times))
}

func senderReport(o *rtpOut, t *timeline) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC:        o.ssrc,
		NTPTime:     ntpTime(t.lastAt),
		RTPTime:     t.last,
		PacketCount: uint32(o.packets.Load()), // wraps by definition
		OctetCount:  uint32(o.octets.Load()),  // wraps by definition
	}
}

// ntpTime returns the 64 bit NTP timestamp of a time (RFC 5905 §6).
func ntpTime(t time.Time) uint64 {
	const toUnix = 2_208_988_800
	sec := uint64(t.Unix() + toUnix) // after 1900
	frac := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return sec<<32 | frac
}
