package remote

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/internal/timebase"
)

// plainWriter makes fragments of what came live, for an agent that does not say what
// it has: with times by this machine's clock, and whatever was lost lost.
type plainWriter struct {
	pictures, sounds *timebase.Mapper
	session          int
	last             int64 // end of the last fragment
}

func newPlainWriter() *plainWriter {
	return &plainWriter{pictures: timebase.New(), sounds: timebase.New()}
}

// take returns the groups that are complete. With all, the last one is.
func (p *plainWriter) take(c *collector, sound bool) (out []*fragment.Fragment) {
	for len(c.groups) > 0 && c.groups[0].complete {
		g := c.groups[0]
		if g.session != p.session { // with clocks of its own
			p.pictures, p.sounds = timebase.New(), timebase.New()
		}
		f := &fragment.Fragment{VideoTrack: codecs.Track{Codec: g.codec, ClockRate: 90_000}}
		for _, u := range g.units {
			f.Video = append(f.Video, p.stamp(p.pictures, u, 90_000))
		}
		f.Duration = time.Duration(g.span()*100/9) * time.Microsecond
		if sound {
			p.addSound(f, c)
		}
		if g.session != p.session {
			f.Joint = fragment.Restart
			p.session = g.session
		}
		c.remove(0)
		if f.Start() >= p.last-near { // else it was sent again
			p.last = f.End()
			out = append(out, f)
		}
	}
	return out
}

// stamp gives a unit its time.
func (p *plainWriter) stamp(m *timebase.Mapper, u *codecs.Unit, clock int) *codecs.Unit {
	stamped := *u
	stamped.At = m.Reference(u.PTS, clock, u.Key, u.Arrived)
	return &stamped
}

// addSound moves the sound of its time into a fragment.
func (p *plainWriter) addSound(f *fragment.Fragment, c *collector) {
	t := soundTrack(c.codec)
	if t == nil {
		return
	}
	n := 0
	for _, u := range c.sounds {
		s := p.stamp(p.sounds, u, t.ClockRate)
		if s.At >= f.End() {
			break
		}
		if n++; s.At >= f.Start() {
			f.Audio = append(f.Audio, s)
		}
	}
	c.forget(n)
	if len(f.Audio) > 0 {
		f.AudioTrack = t
	}
}

// soundTrack describes what a session carries of a codec; nil if it is none.
func soundTrack(c codecs.Codec) *codecs.Track {
	switch c {
	case codecs.Opus:
		return &codecs.Track{Codec: c, ClockRate: 48_000, Channels: 2}
	case codecs.PCMU, codecs.PCMA:
		return &codecs.Track{Codec: c, ClockRate: 8000, Channels: 1}
	default:
		return nil
	}
}
