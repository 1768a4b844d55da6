package spool

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
)

const (
	// soundGrace is how long a group of pictures that is complete waits for the
	// sound of its time, which may take another way.
	soundGrace = time.Second
	// longStep is how long two pictures may be apart, if the camera does not make
	// that few, before they count as interrupted.
	longStep = time.Second
	// usualStep stands for the time of a picture where nothing is known of it.
	usualStep = 40 * time.Millisecond
)

// assembler makes fragments of units. Time is an argument. Not safe for concurrent
// use.
type assembler struct {
	limit int64 // bytes of one fragment at most; constant

	current *group   // in progress; nil before the first key frame
	closing []*group // their pictures are complete; the sound may be not
	sounds  []sound  // not in any fragment yet, in order
	bytes   int64    // of all that
	step    int64    // microseconds from picture to picture, as last seen
	joint   fragment.Joint

	// lost counts groups that are not kept because some of their pictures did not
	// come, or came without a time; cut those of which only the beginning is.
	lost, cut uint64
}

// group is a GOP on its way to a fragment.
type group struct {
	fragment *fragment.Fragment
	bytes    int64
	latest   int64 // greatest At
	end      int64 // when the next begins; 0 while not known
	over     time.Time
}

type sound struct {
	track codecs.Track
	unit  *codecs.Unit
}

func newAssembler(limit int64) *assembler {
	return &assembler{limit: min(limit, fragment.MaxBytes), joint: fragment.Restart}
}

// picture takes a picture. skipped pictures before it did not come.
func (a *assembler) picture(now time.Time, t codecs.Track, u *codecs.Unit, skipped int) {
	if skipped > 0 {
		a.drop()
	}
	if u.Key {
		a.key(now, t, u)
		return
	}
	g := a.current
	switch {
	case g == nil:
		return
	case u.At == 0 || len(u.Payload) == 0:
		a.drop()
		return
	case g.end != 0: // cut
		return
	}
	size := int64(u.Size())
	if len(g.fragment.Video) >= fragment.MaxPictures || g.bytes+size > a.limit*3/4 { // the rest is for the sound
		g.end, g.fragment.Cut = max(u.At, g.latest+1), true
		a.cut++
		return
	}
	g.fragment.Video = append(g.fragment.Video, u)
	g.bytes += size
	a.bytes += size
	if u.At > g.latest {
		a.step, g.latest = u.At-g.latest, u.At
	}
}

// key begins a group, which ends the one before.
func (a *assembler) key(now time.Time, t codecs.Track, u *codecs.Unit) {
	a.finish(now, u.At)
	size := int64(u.Size())
	if u.At == 0 || len(u.Payload) == 0 || size > a.limit*3/4 {
		a.lost++
		return
	}
	a.current = &group{
		fragment: &fragment.Fragment{VideoTrack: t, Video: []*codecs.Unit{u}, Joint: a.joint},
		bytes:    size, latest: u.At,
	}
	a.joint = fragment.Direct
	a.bytes += size
}

// finish ends the group in progress; next is when the next one begins, 0 if none
// does.
func (a *assembler) finish(now time.Time, next int64) {
	g := a.current
	if g == nil {
		return
	}
	a.current = nil
	step := a.step
	if step <= 0 {
		step = usualStep.Microseconds()
	}
	follows := next > g.latest && next-g.latest <= max(longStep.Microseconds(), 4*step)
	switch {
	case g.end != 0: // cut
	case follows:
		g.end = next
		if len(g.fragment.Video) == 1 {
			a.step = next - g.latest
		}
	default:
		g.end = g.latest + step
		if next > g.latest {
			g.end = min(g.end, next)
		}
	}
	if !follows {
		a.joint = fragment.Interruption
	}
	g.over = now
	g.fragment.Duration = time.Duration(g.end-g.fragment.Start()) * time.Microsecond
	a.closing = append(a.closing, g)
}

// drop forgets the group in progress, since it is not complete.
func (a *assembler) drop() {
	if g := a.current; g != nil {
		a.current = nil
		a.bytes -= g.bytes
		a.lost++
		if g.fragment.Joint > a.joint {
			a.joint = g.fragment.Joint
		}
	}
}

// sound takes a unit of sound.
func (a *assembler) sound(t codecs.Track, u *codecs.Unit) {
	if u.At == 0 || len(u.Payload) == 0 || a.current == nil && len(a.closing) == 0 {
		return
	}
	size := int64(u.Size())
	for len(a.sounds) > 0 && (len(a.sounds) >= fragment.MaxSounds || a.bytes+size > a.limit*9/8) {
		a.forget(1) // no picture comes, or too much of it
	}
	a.sounds = append(a.sounds, sound{t, u})
	a.bytes += size
}

// forget drops the first n sounds.
func (a *assembler) forget(n int) {
	for _, s := range a.sounds[:n] {
		a.bytes -= int64(s.unit.Size())
	}
	a.sounds = a.sounds[n:]
}

// take returns the next fragment that is complete, nil if there is none yet. With
// all, it does not wait for sound.
func (a *assembler) take(now time.Time, audio, all bool) *fragment.Fragment {
	if len(a.closing) == 0 {
		return nil
	}
	g := a.closing[0]
	covered := len(a.sounds) > 0 && a.sounds[len(a.sounds)-1].unit.At >= g.end
	if audio && !covered && !all && now.Sub(g.over) < soundGrace {
		return nil
	}
	a.closing = a.closing[1:]
	a.bytes -= g.bytes
	a.addSound(g)
	return g.fragment
}

// addSound moves the sound of its time into a group.
func (a *assembler) addSound(g *group) {
	f := g.fragment
	n := 0
	var bytes int64
	for _, s := range a.sounds {
		if s.unit.At >= g.end {
			break
		}
		n++
		size := int64(s.unit.Size())
		switch {
		case s.unit.At < f.Start(), len(f.Audio) >= fragment.MaxSounds, g.bytes+bytes+size > a.limit:
			continue
		case f.AudioTrack == nil:
			f.AudioTrack = &s.track
		case f.AudioTrack.Codec != s.track.Codec || f.AudioTrack.ClockRate != s.track.ClockRate:
			continue // the rest of a format that ended within this time
		}
		f.Audio = append(f.Audio, s.unit)
		bytes += size
	}
	a.forget(n)
}
