package recorder

import (
	"slices"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// mostPreRoll bounds the only GOP that is kept, in bytes: without its beginning nothing
// could be shown before the next key frame.
const mostPreRoll = 64 << 20

// preRoll keeps the newest whole GOPs of a camera in case something happens. Beyond
// limit bytes the oldest go, and beyond most even the only one.
type preRoll struct {
	keep        time.Duration // constant: of what is kept at least, if the room suffices
	limit, most int64         // constant

	gops  []gop
	sound []*codecs.Unit
	alone int // units at the end of sound that came after the last frame
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
	p.alone = 0
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
	for len(p.gops) > 1 && (u.Arrived.Sub(p.gops[1].video[0].Arrived) >= p.keep || p.bytes > p.limit) || p.bytes > p.most && len(p.gops) > 0 {
		p.drop()
	}
}

// long reports whether the only GOP has more bytes than may be kept, so that there is
// hope for a key frame.
func (p *preRoll) long() bool { return len(p.gops) == 1 && p.gops[0].bytes > p.limit }

// addSound keeps sound. It returns how many units were dropped because there are no
// pictures for them.
func (p *preRoll) addSound(u *codecs.Unit) (dropped int) {
	if len(p.gops) == 0 {
		return 0
	}
	if p.alone >= maxSound {
		oldest := len(p.sound) - p.alone
		p.bytes -= int64(p.sound[oldest].Size())
		p.sound = slices.Delete(p.sound, oldest, oldest+1)
		p.alone--
		dropped = 1
	}
	p.sound = append(p.sound, u)
	p.alone++
	p.bytes += int64(u.Size())
	return dropped
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
	p.alone = min(p.alone, len(p.sound))
	return video, sound
}

func (p *preRoll) clear() { p.gops, p.sound, p.alone, p.bytes = nil, nil, 0, 0 }

// clearSound forgets the sound.
func (p *preRoll) clearSound() {
	p.bytes -= sizeOf(p.sound)
	p.sound, p.alone = nil, 0
}

// anyWanted reports whether the rules want any of what is kept.
func (p *preRoll) anyWanted(r *rules) bool {
	for i := range p.gops {
		if p.gops[i].wanted(r) {
			return true
		}
	}
	return false
}
