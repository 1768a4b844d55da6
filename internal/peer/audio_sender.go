package peer

import (
	"context"
	"sync/atomic"
	"time"
)

// maxAudioBacklog is how many frames (20 ms each, as a rule) may wait when a
// listener joins or falls behind; what is older is left out.
const maxAudioBacklog = 5

// audioSender sends one camera's sound to one viewer, each frame as it comes.
type audioSender struct {
	session *Session
	out     *rtpOut
	streams chan Stream // capacity 1: what to send from now on, nil = nothing

	// Owned by run.
	stream   Stream
	feed     Feed
	times    *timeline
	reported time.Time

	frames, dropped atomic.Uint64
}

func newAudioSender(s *Session, out *rtpOut, stream Stream) *audioSender {
	a := &audioSender{session: s, out: out, streams: make(chan Stream, 1)}
	a.streams <- stream
	return a
}

// run sends until ctx ends.
func (a *audioSender) run(ctx context.Context) {
	defer a.attach(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-a.streams:
			a.attach(s)
		case <-wake(a.feed):
		}
		a.pump(time.Now())
	}
}

func (a *audioSender) attach(s Stream) {
	if s != nil && (s == a.stream || !a.session.ready()) {
		return // the session says it again when it is connected
	}
	if a.feed != nil {
		a.feed.Close()
		a.feed = nil
	}
	a.stream = s
	if s != nil {
		a.feed = s.Open(0)
		if a.times != nil {
			a.times.join()
		}
	}
}

func (a *audioSender) pump(now time.Time) {
	if a.feed == nil || !a.session.ready() {
		return
	}
	for {
		behind := a.feed.Behind()
		f, skipped, ok := a.feed.Next()
		if !ok || f == nil {
			return
		}
		a.dropped.Add(uint64(skipped))
		track, known := a.stream.Track(0)
		if behind > maxAudioBacklog || !known || !a.out.supports(f.Codec) || len(f.Payloads()) == 0 {
			a.dropped.Add(1)
			continue
		}
		if a.times == nil || a.times.clockRate != int64(track.ClockRate) {
			a.times = newTimeline(track.ClockRate, 1)
		}
		ts := a.times.stamp(f.Unit)
		for i := range f.Payloads() {
			if a.out.send(now, f, i, ts, false) != nil {
				return
			}
		}
		a.frames.Add(1)
		if now.Sub(a.reported) >= reportInterval {
			a.reported = now
			a.session.writeRTCP(senderReport(a.out, a.times))
		}
	}
}
