package v4l2

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/defects"
	"github.com/sightline-cam/sightline/camera/pictures"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs"
)

// patience is how long a driver may deliver nothing, at the usual rates.
const patience = 5 * time.Second

// maxStale is how many buffers at the start of a session may be left over from the
// one before: a loopback device keeps its last.
const (
	maxStale = 4
	staleAge = time.Second
)

// handler makes units of the buffers of a session.
type handler interface {
	// frame takes a buffer, whose data it may not keep. An error ends the session.
	frame(f uapi.Frame, at stamp) error
	// keyFrame wants a key frame soon.
	keyFrame(now time.Time) error
	close()
}

// session is one time that a device is watched: from opening it to its end. Only Run's
// goroutine uses it.
type session struct {
	source   *Source       // constant
	opened   *opened       // constant
	out      camera.Output // constant
	handler  handler       // constant
	patience time.Duration // constant

	clock    clock
	defects  *defects.Log
	tracks   []codecs.Track
	started  bool      // the tracks were announced
	last     time.Time // when a picture came last, or the stream was started
	useless  uint64    // frames since then that are none
	askedKey time.Time // last request of a key frame
	looked   time.Time // last look for other cameras
	frames   uint64
	counter  sequence
}

func newSession(s *Source, o *opened, out camera.Output) (*session, error) {
	now := time.Now()
	c := &session{
		source: s, opened: o, out: out, clock: clock{begin: now}, last: now,
		defects:  s.defects,
		patience: max(patience, 10*o.interval()),
		tracks:   []codecs.Track{{Codec: o.codec(), ClockRate: clockRate}},
	}
	if slow, ok := out.(interface{ SetSlow(time.Duration) }); ok && c.patience > patience {
		slow.SetSlow(c.patience + patience)
	}
	var err error
	if o.mode.Use == Encode {
		c.handler, err = newEncoding(c)
	} else {
		c.handler = newPassing(c)
	}
	return c, err
}

func (c *session) close() { c.handler.close() }

// run hands on what the device delivers until it ends or ctx does.
func (c *session) run(ctx context.Context) error {
	d := c.opened.device
	if err := ctx.Err(); err != nil {
		return err // each request of a camera that hangs takes seconds
	}
	if err := c.opened.start(); err != nil {
		return err
	}
	c.last = time.Now() // some drivers take seconds to start
	for ctx.Err() == nil {
		now := time.Now()
		left := c.patience - now.Sub(c.last)
		overdue := left <= 0 // or it was this process that stood still: look what has come meanwhile
		if c.source.wantKey.Load() {
			left = min(left, max(0, keyAtMost-now.Sub(c.askedKey)))
		}
		event, err := d.Wait(max(left, 0))
		if err != nil {
			return c.opened.explain("waiting for a picture", err)
		}
		if err := c.askKey(time.Now()); err != nil {
			return err
		}
		if now.Sub(c.looked) >= time.Second {
			c.looked = now
			c.source.lookAround(c.opened.path)
		}
		if event == uapi.TimedOut && overdue {
			return c.opened.stalled(c.patience, c.frames, c.useless)
		}
		if event != uapi.Ready && event != uapi.Failed {
			continue
		}
		n, err := c.drain()
		if err != nil {
			return err
		}
		if n == 0 && event == uapi.Failed {
			return c.opened.ended()
		}
		if overdue && c.useless > 0 && time.Since(c.last) >= c.patience {
			return c.opened.stalled(c.patience, c.frames, c.useless)
		}
	}
	return ctx.Err()
}

// keyAtMost is the time between two requests of key frames: they are large. A request
// that comes earlier is kept until then.
const keyAtMost = 500 * time.Millisecond

// askKey asks for the key frame that is wanted, if there is one and it is time.
func (c *session) askKey(now time.Time) error {
	if now.Sub(c.askedKey) < keyAtMost || !c.source.wantKey.Swap(false) {
		return nil
	}
	c.askedKey = now
	return c.handler.keyFrame(now)
}

// drain takes all frames that the driver has, and returns how many. Pictures that have
// to be encoded are only the newest: one who comes too late for one is not made late
// for all that follow.
func (c *session) drain() (n int, err error) {
	d := c.opened.device
	var newest *uapi.Frame
	for ; n < maxBuffers; n++ {
		f, err := d.Dequeue()
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			return n, c.opened.explain("reading a picture", err)
		}
		if newest != nil {
			c.defects.Count("pictures left out because encoding takes too long", 1, "", time.Now())
			if err := c.queue(newest.Index); err != nil {
				return n, err
			}
		}
		newest = &f
		if c.opened.mode.Use == Encode {
			continue
		}
		if err := c.take(f); err != nil {
			return n, err
		}
		newest = nil
	}
	if newest != nil {
		err = c.take(*newest)
	}
	return n, err
}

// take handles a frame and gives its buffer back.
func (c *session) take(f uapi.Frame) error {
	now := time.Now()
	monotonic := c.opened.device.Monotonic()
	at := c.clock.at(f, monotonic, now)
	stale := c.frames < maxStale && f.HasTime && monotonic-f.Time > staleAge
	if len(f.Data) > 0 && !f.Damaged && !stale {
		c.last, c.useless = now, 0
	} else {
		c.useless++
	}
	c.frames++
	if lost := c.counter.lost(f.Sequence); lost > 0 {
		c.defects.Count("pictures that the driver lost", uint64(lost), "", now)
		if c.opened.mode.Use == PassThrough {
			c.source.RequestKeyFrame()
		}
	}
	var err error
	switch {
	case len(f.Data) == 0:
	case stale:
		if c.opened.mode.Use == PassThrough {
			c.source.RequestKeyFrame() // this may have been one, by a clock that is wrong
		}
	case f.Damaged:
		c.defects.Count("damaged pictures", 1, "", now)
		if c.opened.mode.Use == PassThrough {
			c.source.RequestKeyFrame()
		}
	default:
		c.announce()
		err = c.handler.frame(f, at)
	}
	if err != nil {
		return err
	}
	return c.queue(f.Index)
}

func (c *session) queue(index int) error {
	if err := c.opened.device.Queue(index); err != nil {
		return c.opened.explain("giving a buffer back", err)
	}
	return nil
}

// announce announces the tracks with the first picture.
func (c *session) announce() {
	if !c.started {
		c.started = true
		c.out.SetTracks(slices.Clone(c.tracks))
		c.opened.warn(c.out)
	}
}

// SetTrack implements pictures.Sink.
func (c *session) SetTrack(index int, t codecs.Track) {
	c.tracks[index] = t
	c.out.SetTracks(slices.Clone(c.tracks))
}

// WriteUnit implements pictures.Sink.
func (c *session) WriteUnit(u *codecs.Unit) { c.out.WriteUnit(u) }

// Warn implements pictures.Sink.
func (c *session) Warn(kind, text string) { c.out.Warn(kind, text) }

// Trouble implements pictures.Sink.
func (c *session) Trouble(what string, err error) {
	last := ""
	if err != nil {
		last = err.Error()
	}
	c.defects.Count(what, 1, last, time.Now())
}

var _ pictures.Sink = (*session)(nil)
