package camera

import (
	"context"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// connection is the Output of one run of a source. It keeps what the watchdog
// looks at and puts units on the supervisor's timeline.
type connection struct {
	s       *Supervisor // constant
	started time.Time   // constant
	changed chan struct{}

	// out and the supervisor's timeline are used only by the source's
	// goroutine, which Output allows one of at a time.

	mu      sync.Mutex // guards what follows
	tracks  []codecs.Track
	setAt   time.Time     // first SetTracks; zero before
	unitAt  time.Time     // last unit, of video if there is any; zero before the first
	live    bool          // decodable media was seen
	slowest time.Duration // how long units may stay away, of sources that said so
	stopped bool          // the connection is over: whatever still comes is dropped
}

func newConnection(s *Supervisor, now time.Time) *connection {
	return &connection{s: s, started: now, changed: make(chan struct{}, 1)}
}

// SetTracks implements Output.
func (c *connection) SetTracks(tracks []codecs.Track) {
	c.mu.Lock()
	stopped := c.stopped
	c.tracks = tracks
	if c.setAt.IsZero() {
		c.setAt = time.Now()
	}
	c.mu.Unlock()
	if !stopped {
		c.s.out.SetTracks(tracks)
		c.wake()
	}
}

// SetSlow says how long units may stay away where that is longer than usual: a camera may
// give a picture every ten seconds. A source finds this method on its Output.
func (c *connection) SetSlow(d time.Duration) {
	c.mu.Lock()
	c.slowest = d
	c.mu.Unlock()
	c.wake()
}

// WriteUnit implements Output.
func (c *connection) WriteUnit(u *codecs.Unit) {
	now := time.Now()
	c.mu.Lock()
	if c.stopped || u.Track < 0 || u.Track >= len(c.tracks) {
		c.mu.Unlock()
		return
	}
	track := c.tracks[u.Track]
	if track.Codec.Video() || !c.hasVideoLocked() {
		c.unitAt = now // sound that goes on over a frozen picture does not count
	}
	begins := !c.live && (u.Key && track.Codec.Video() || !c.hasVideoLocked())
	c.live = c.live || begins
	c.mu.Unlock()

	moved := *u // a unit handed on is immutable: the source may still hold it
	moved.PTS = c.s.timeline.pts(u, track.ClockRate, now)
	if begins { // said before a viewer can see it, who might ask
		c.s.setLive(context.Background(), now)
		c.wake()
	}
	c.s.out.WriteUnit(&moved)
}

// Warn implements Output.
func (c *connection) Warn(kind, text string) {
	c.mu.Lock()
	stopped := c.stopped
	c.mu.Unlock()
	if !stopped {
		c.s.warn(kind, text)
		c.s.out.Warn(kind, text)
	}
}

func (c *connection) hasVideoLocked() bool {
	_, ok := find(c.tracks, codecs.Codec.Video)
	return ok
}

func (c *connection) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

func (c *connection) announced() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.setAt.IsZero()
}

func (c *connection) delivered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live
}

// watch returns an error when the connection delivers nothing for too long,
// nil when ctx ends. While the first key frame is missing it asks for one
// every second.
func (c *connection) watch(ctx context.Context) error {
	const ask = time.Second
	for {
		next, waiting, err := c.check(time.Now())
		if err != nil {
			return err
		}
		if waiting {
			next = min(next, ask)
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-c.changed:
			timer.Stop()
		case <-timer.C:
			if waiting {
				c.s.RequestKeyFrame()
			}
		}
	}
}

// check returns the time until the next deadline and whether the first key
// frame is still missing, or an error once a deadline has passed.
func (c *connection) check(now time.Time) (next time.Duration, waiting bool, err error) {
	o := c.s.opts
	c.mu.Lock()
	defer c.mu.Unlock()
	o.ConnectTimeout = max(o.ConnectTimeout, c.slowest)
	o.DataTimeout = max(o.DataTimeout, c.slowest)
	o.KeyFrameTimeout = max(o.KeyFrameTimeout, c.slowest)
	if c.setAt.IsZero() {
		next = c.started.Add(o.ConnectTimeout).Sub(now)
		if next <= 0 {
			return 0, false, watchdogErrorf("the camera did not start a stream within %v", o.ConnectTimeout)
		}
		return next, false, nil
	}
	last := c.setAt
	if c.unitAt.After(last) {
		last = c.unitAt
	}
	next = last.Add(o.DataTimeout).Sub(now)
	if next <= 0 {
		return 0, false, watchdogErrorf("the camera is connected but has sent no data for %v; "+
			"check its network and whether its stream is enabled", o.DataTimeout)
	}
	if c.hasVideoLocked() && !c.live {
		key := c.setAt.Add(o.KeyFrameTimeout).Sub(now)
		if key <= 0 {
			return 0, false, watchdogErrorf("the camera is connected but has sent no key frame for %v; "+
				"set its key frame interval (I-frame interval, GOP length) to 1 or 2 seconds", o.KeyFrameTimeout)
		}
		return min(next, key), true, nil
	}
	return next, false, nil
}
