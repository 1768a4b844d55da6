package recorder

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

const (
	// settleTicks is for how many looks a camera may be connecting at first before
	// that is the reason why there is no recording.
	settleTicks = 3
	// askEvery is how often a camera is asked for a key frame that is waited for.
	askEvery = 2 * time.Second
)

// stream is one rendition of a camera on its way from the hub to the queue of the
// goroutine that writes it. Its methods are called from one goroutine, but for those
// that say otherwise.
type stream struct {
	// Constant.
	id    recordings.Stream
	feed  Feed
	guard *guard
	opts  *Options
	pace  pace
	audio bool
	queue *queue

	// Set by the goroutine that writes.
	rotateAt atomic.Int64 // recordings.Time at which the segment is long enough; 0: none is open

	// Owned by the goroutine that looks.
	video, sound Subscription
	ended        bool
	began        time.Time        // when this recorder did
	pastEnd      recordings.Time  // of what others had recorded before
	coding       coding           // of pending; Unknown before the first tracks
	announce     *tracks          // for the next job
	on           bool             // the rules want what comes
	needKey      bool             // nothing is taken before a key frame
	losing       bool             // what is not taken meanwhile is lost
	noted        recordings.Cause // why nothing is recorded; empty: it is
	pending      []*codecs.Unit
	pendingBytes int64
	waiting      []*codecs.Unit // sound of pending
	alone        int            // how much of it came after the last frame of pending
	preRoll      preRoll
	shortening   bool // a key frame was asked for because of it
	warned       bool // it was said that its GOPs are too long
	order        order
	early        bool // frames were held back that must not wait for the next turn
	slow         bool // frames are left out until there is room in the queue
	lag          time.Duration
	newest       time.Time // arrival of the newest frame that was taken
	asked        time.Time
	offline      string
	offlineTicks int

	mu      sync.Mutex // guards what follows
	status  Status
	written Counts
	failure error
	skipped uint64 // frames lost on this side of the queue
	deaf    uint64 // units of sound
}

// look takes what has come, decides what of it is recorded, and hands that on if it
// is its turn.
func (s *stream) look(now time.Time, turn bool) {
	if !s.ended {
		r := s.guard.rules()
		s.adopt()
		s.replay(r)
		s.listen(r)
		s.watch(r, now)
		s.settle(r, now)
	}
	if turn || s.early || s.pendingBytes > s.opts.QueueBytes/4 {
		s.stage(now)
	}
	s.describe(now)
}

// adopt takes in how the source's tracks are coded now. Frames that were coded
// otherwise may still be ahead of it in the hub; see switchTo.
func (s *stream) adopt() {
	t := tracksOf(s.feed.Tracks(), s.audio)
	want := codingOf(t.video, t.sound)
	if t.video.Codec == codecs.Unknown || want == s.coding {
		return
	}
	if s.coding.video == codecs.Unknown || s.coding.video == want.video {
		s.switchTo(t)
	}
}

func tracksOf(list []codecs.Track, sound bool) (t tracks) {
	for i := range list {
		switch c := list[i].Codec; {
		case c.Video() && t.video.Codec == codecs.Unknown:
			t.video = list[i]
		case c.Audio() && t.sound == nil && sound:
			t.sound = &list[i]
		}
	}
	return t
}

// switchTo lets frames be coded otherwise from now on.
func (s *stream) switchTo(t tracks) {
	s.flush()
	if s.coding.video != codecs.Unknown {
		s.discardSound() // nobody can tell how that was coded
	}
	if s.coding.video != t.video.Codec {
		s.preRoll.clear()
	}
	s.coding, s.announce = codingOf(t.video, t.sound), &t
}

func (s *stream) discardSound() {
	s.waiting = nil
	s.preRoll.clearSound()
	for {
		if f, _, _ := s.sound.Next(); f == nil {
			return
		}
	}
}

// replay hands on what was kept in case something happened, if it did.
func (s *stream) replay(r *rules) {
	if s.on {
		return
	}
	p := &s.preRoll
	for len(p.gops) > 0 && !p.gops[0].wanted(r) {
		if !p.anyWanted(r) {
			return
		}
		p.drop()
	}
	if len(p.gops) == 0 {
		return
	}
	s.start()
	s.needKey = false
	for len(p.gops) > 0 && p.gops[0].wanted(r) {
		video, sound := p.pop()
		s.flushUntil(earliest(video))
		s.waiting = append(s.waiting, sound...)
		for _, u := range video {
			s.push(u)
		}
	}
	if len(p.gops) > 0 { // whatever happened is over already
		s.stop(recordings.NoEvent)
	}
}

// listen takes the sound that has come.
func (s *stream) listen(r *rules) {
	for {
		f, _, ok := s.sound.Next()
		if !ok || f == nil {
			return
		}
		switch cause := r.verdict(recordings.TimeOf(f.Unit.Arrived)); {
		case s.coding.audio == codecs.Unknown || f.Codec != s.coding.audio:
		case cause == "", cause == recordings.NoEvent && s.on:
			s.await(f.Unit)
		case cause == recordings.NoEvent:
			s.loseSound(s.preRoll.addSound(f.Unit))
		}
	}
}

// watch takes the frames that have come.
func (s *stream) watch(r *rules, now time.Time) {
	for {
		f, skipped, ok := s.video.Next()
		if skipped > 0 && s.on && !s.needKey {
			s.interrupt(recordings.FramesLost, 0)
			s.lose(skipped)
		}
		if !ok {
			s.flush()
			s.ended = true
			return
		}
		if f == nil {
			return
		}
		if f.Codec != s.coding.video {
			t := tracksOf(s.feed.Tracks(), s.audio)
			if t.video.Codec != f.Codec {
				continue // it is on its way out
			}
			s.switchTo(t)
		}
		s.take(f.Unit, r.verdict(recordings.TimeOf(f.Unit.Arrived)))
	}
}

// take takes a frame that the rules want unless there is a cause why not.
func (s *stream) take(u *codecs.Unit, cause recordings.Cause) {
	if u.Arrived.Before(s.began) && recordings.Time(u.At) < s.pastEnd {
		return // an earlier recorder in this process has it
	}
	s.lag = recordings.Time(u.At).Sub(recordings.TimeOf(u.Arrived))
	// What nobody waits for ends with its GOP, so that the next may begin there.
	if cause == recordings.NoEvent && s.on && !u.Key {
		cause = ""
	}
	switch cause {
	case "":
		s.start()
		if s.needKey && !u.Key {
			if s.losing {
				s.lose(1)
			}
			return
		}
		s.needKey, s.losing = false, false
		s.push(u)
	case recordings.NoEvent:
		s.stop(cause)
		s.preRoll.add(u)
		s.shorten()
	default:
		s.stop(cause)
		s.preRoll.clear()
	}
}

// await makes sound wait for the next pictures. If none come the oldest goes.
func (s *stream) await(u *codecs.Unit) {
	s.alone = min(s.alone, len(s.waiting))
	if s.alone >= maxSound {
		oldest := len(s.waiting) - s.alone
		s.waiting = slices.Delete(s.waiting, oldest, oldest+1)
		s.alone--
		s.loseSound(1)
	}
	s.waiting = append(s.waiting, u)
	s.alone++
}

// shorten asks for a key frame if the pre-roll is a single GOP that is too long, once
// for each of them.
func (s *stream) shorten() {
	switch {
	case s.shortening && len(s.preRoll.gops) == 0: // it became too long for any memory
		s.shortening = false
		s.feed.RequestKeyFrame()
	case !s.preRoll.long():
		s.shortening = false
	case !s.shortening:
		s.shortening = true
		s.feed.RequestKeyFrame()
		if !s.warned {
			s.warned = true
			s.opts.Logger.Warn("the key frames of a camera are so far apart that what is kept for the time before an event takes more memory than it should; "+
				"set a shorter interval of key frames in the camera", "camera", s.id.Camera, "rendition", s.id.Rendition, "bytes", s.preRoll.bytes)
		}
	}
}

// push makes a frame wait for its turn.
func (s *stream) push(u *codecs.Unit) {
	s.noted, s.newest, s.alone = "", u.Arrived, 0
	s.order.observe(u)
	s.pending = append(s.pending, u)
	s.pendingBytes += int64(u.Size())
}

// start begins to take frames, from a key frame on.
func (s *stream) start() {
	if !s.on {
		s.on, s.needKey, s.losing = true, true, false
	}
}

// stop takes frames no longer.
func (s *stream) stop(cause recordings.Cause) {
	if s.on {
		s.interrupt(cause, 0)
		s.on = false
	}
}

// interrupt hands on what is pending and begins a gap. Frames are taken again from a
// key frame on.
func (s *stream) interrupt(cause recordings.Cause, since recordings.Time) {
	s.flush()
	s.queue.push(job{cause: cause, since: since})
	s.noted, s.needKey, s.losing = cause, true, false
}

// settle notes why nothing is recorded at the moment.
func (s *stream) settle(r *rules, now time.Time) {
	s.offline = s.feed.Offline()
	s.offlineTicks++
	if s.offline == "" {
		s.offlineTicks = 0
	}
	cause := r.verdict(recordings.TimeOf(now))
	switch {
	case cause == recordings.NoEvent && s.on && s.offline == "":
		return // until the GOP ends
	case cause == "" && s.offline == "":
		if (s.needKey || !s.on) && now.Sub(s.asked) >= askEvery {
			s.asked = now
			s.feed.RequestKeyFrame()
		}
		return
	case cause == "":
		cause = recordings.CameraOffline
	}
	if cause == s.noted || cause == recordings.CameraOffline && s.newest.IsZero() && s.offlineTicks < settleTicks {
		return
	}
	since := recordings.Time(0)
	if s.noted != "" { // something else was in the way so far
		since = recordings.TimeOf(now).Add(s.lag)
	}
	s.interrupt(cause, since)
	if cause != recordings.CameraOffline {
		s.on = false
	}
	s.loseSound(len(s.waiting)) // no pictures come for it
	s.waiting = nil
	if cause == recordings.Paused || cause == recordings.Schedule {
		s.preRoll.clear()
	}
}

// lose counts frames that were not taken. Safe for concurrent use.
func (s *stream) lose(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped += uint64(n)
}

// loseSound counts units of sound that are not written. Safe for concurrent use.
func (s *stream) loseSound(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf += uint64(n)
}

// open subscribes to the hub. past is the end of what was recorded before.
func (s *stream) open(past recordings.Time) {
	s.began, s.pastEnd = time.Now(), past
	s.video, s.sound = s.feed.SubscribeVideo(), s.feed.SubscribeAudio()
}

// close takes what has come until now, hands on everything, and ends the queue.
func (s *stream) close() {
	s.look(time.Now(), false)
	s.flush()
	s.video.Close()
	s.sound.Close()
	s.queue.close()
}
