package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// preRoll keeps the newest whole GOPs of a camera in case something happens. Beyond
// limit bytes the oldest go.
type preRoll struct {
	keep  time.Duration // constant: of what is kept at least, if the room suffices
	limit int64         // constant

	gops  []gop
	sound []*codecs.Unit
	bytes int64
}

type gop struct {
	video []*codecs.Unit
	bytes int64
}

// wanted reports whether the rules want any of its frames.
func (g *gop) wanted(r *rules) bool {
	for _, u := range g.video {
		if r.verdict(recordings.TimeOf(u.Arrived)) == "" {
			return true
		}
	}
	return false
}

// add keeps a frame, if it or one before begins a GOP.
func (p *preRoll) add(u *codecs.Unit) {
	if u.Key {
		p.gops = append(p.gops, gop{})
	}
	if len(p.gops) == 0 {
		return
	}
	g := &p.gops[len(p.gops)-1]
	size := int64(u.Size())
	g.video = append(g.video, u)
	g.bytes += size
	p.bytes += size
	for len(p.gops) > 1 && u.Arrived.Sub(p.gops[1].video[0].Arrived) >= p.keep || p.bytes > p.limit && len(p.gops) > 0 {
		p.drop()
	}
}

func (p *preRoll) addSound(u *codecs.Unit) {
	if len(p.gops) > 0 {
		p.sound = append(p.sound, u)
		p.bytes += int64(u.Size())
	}
}

// drop forgets the oldest GOP with its sound.
func (p *preRoll) drop() { p.pop() }

// pop removes the oldest GOP and returns it, and the sound that came before the next.
func (p *preRoll) pop() (video, sound []*codecs.Unit) {
	video = p.gops[0].video
	p.bytes -= p.gops[0].bytes
	p.gops[0] = gop{}
	p.gops = p.gops[1:]
	if len(p.gops) == 0 {
		sound = p.sound
		p.clear()
		return video, sound
	}
	next, n := p.gops[0].video[0].At, 0
	for n < len(p.sound) && p.sound[n].At < next {
		p.bytes -= int64(p.sound[n].Size())
		n++
	}
	sound = p.sound[:n:n]
	p.sound = append([]*codecs.Unit(nil), p.sound[n:]...)
	return video, sound
}

func (p *preRoll) clear() { p.gops, p.sound, p.bytes = nil, nil, 0 }

// anyWanted reports whether the rules want any of what is kept.
func (p *preRoll) anyWanted(r *rules) bool {
	for i := range p.gops {
		if p.gops[i].wanted(r) {
			return true
		}
	}
	return false
}
