package remote

import (
	"slices"

	"github.com/sightline-cam/sightline/codecs"
)

// group is a group of pictures as it came live.
type group struct {
	session  int // which connection it came over: PTS of others are of no use
	units    []*codecs.Unit
	codec    codecs.Codec
	bytes    int64 // in memory
	complete bool  // the next one has begun, or the connection has ended
}

// pts is that of the key frame.
func (g *group) pts() int64 { return g.units[0].PTS }

// span is from the key frame to the end of the last picture shown, in ticks, as far
// as the pictures tell.
func (g *group) span() int64 {
	pts := g.sortedPTS()
	last := pts[len(pts)-1] - g.pts()
	if len(pts) > 1 {
		return last + median(pts)
	}
	return last + 3600 // a picture at 25 a second
}

func (g *group) sortedPTS() []int64 {
	pts := make([]int64, len(g.units))
	for i, u := range g.units {
		pts[i] = u.PTS
	}
	slices.Sort(pts)
	return pts
}

// median is the usual distance of two of them.
func median(pts []int64) int64 {
	steps := make([]int64, 0, len(pts)-1)
	for i := 1; i < len(pts); i++ {
		steps = append(steps, pts[i]-pts[i-1])
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// unbroken returns those of the pictures, from the first on, that follow each other
// without a hole, by their times. It is what is used of a group that nobody vouches
// for.
func (g *group) unbroken() []*codecs.Unit {
	pts := g.sortedPTS()
	if len(pts) < 3 {
		return g.units
	}
	step := median(pts)
	for i := 1; i < len(pts); i++ {
		if pts[i]-pts[i-1] > step+step/2 {
			from := pts[i]
			n := slices.IndexFunc(g.units, func(u *codecs.Unit) bool { return u.PTS >= from })
			return g.units[:n]
		}
	}
	return g.units
}

// collector makes groups of the pictures of one camera, and keeps its sound until
// it is asked for. Both are bounded: the oldest is dropped. Not safe for concurrent
// use.
type collector struct {
	limit int64 // bytes of pictures; constant

	session int
	groups  []*group // in order; only the last may be incomplete
	bytes   int64
	sounds  []*codecs.Unit // of this session
	codec   codecs.Codec   // of the sounds
	heard   int64          // bytes of sounds

	dropped uint64 // groups
}

const (
	// maxSoundBytes bounds the sound that waits: a minute of G.711.
	maxSoundBytes = 1 << 20
	// maxGroups bounds the groups that wait, of however few bytes.
	maxGroups = 1024
)

// heldBy is what a unit takes in memory.
func heldBy(u *codecs.Unit) int64 { return int64(u.Size()) + perUnit + 24*int64(len(u.Payload)) }

// begin says that what comes now comes over another connection.
func (c *collector) begin() {
	c.session++
	c.end()
	c.sounds, c.heard = nil, 0
}

// end says that the connection is over.
func (c *collector) end() {
	if n := len(c.groups); n > 0 {
		c.groups[n-1].complete = true
	}
}

// picture takes a picture.
func (c *collector) picture(codec codecs.Codec, u *codecs.Unit) {
	n := len(c.groups)
	if u.Key {
		c.end()
		c.groups = append(c.groups, &group{session: c.session, codec: codec})
		n++
	}
	if n == 0 || c.groups[n-1].session != c.session || c.groups[n-1].complete {
		return // nothing to begin at
	}
	g := c.groups[n-1]
	size := heldBy(u)
	g.units = append(g.units, u)
	g.bytes += size
	c.bytes += size
	for len(c.groups) > 0 && (c.bytes > c.limit || len(c.groups) > maxGroups) {
		c.dropped++
		c.remove(0)
	}
}

// sound takes a unit of sound.
func (c *collector) sound(codec codecs.Codec, u *codecs.Unit) {
	if codec != c.codec {
		c.codec, c.sounds, c.heard = codec, nil, 0
	}
	c.sounds = append(c.sounds, u)
	c.heard += heldBy(u)
	for c.heard > maxSoundBytes {
		c.forget(1)
	}
}

// forget drops the first n units of sound.
func (c *collector) forget(n int) {
	for _, u := range c.sounds[:n] {
		c.heard -= heldBy(u)
	}
	c.sounds = c.sounds[n:]
}

// remove drops a group.
func (c *collector) remove(i int) {
	c.bytes -= c.groups[i].bytes
	c.groups = slices.Delete(c.groups, i, i+1)
}

// removeTo drops the groups up to, and with, one.
func (c *collector) removeTo(g *group) {
	for len(c.groups) > 0 {
		first := c.groups[0]
		c.remove(0)
		if first == g {
			return
		}
	}
}

// clear drops all groups.
func (c *collector) clear() { c.groups, c.bytes = nil, 0 }
