package testpattern

import (
	"math"
	"time"
)

// scene draws the picture, one macroblock at a time, and knows which of them
// differ from the picture before.
type scene struct {
	// Constant after newScene.
	mbWidth, mbHeight int
	ground            colour
	static            []placed
	rows              [][]int // by macroblock row, those of static in it
	dial              dial
	track             track

	// What the picture shows now.
	clock, millis, date, frames *field
	stamp                       stampShape
	hand, ball                  bar
	texture                     *texture // nil without a bitrate

	dirty []bool // by macroblock in coding order
	text  [32]byte
}

// placed is a shape that never changes, its bounds at hand.
type placed struct {
	rect
	shape
}

// motionPeriod is the time of one turn of the dial's hand and one way forth
// and back of the ball.
const motionPeriod = 4 * time.Second

// update moves the picture on to another time.
func (s *scene) update(now time.Time, counter uint32, key bool) {
	clear(s.dirty)
	b := now.AppendFormat(s.text[:0], "15:04:05.000 2006-01-02")
	s.clock.set(b[:8], s.touch)
	s.millis.set(b[8:12], s.touch)
	s.date.set(b[13:23], s.touch)
	for i, v := 7, counter; i >= 0; i-- {
		s.text[i] = '0' + byte(v%10)
		v /= 10
	}
	s.frames.set(s.text[:8], s.touch)
	s.stamp.set(Stamp{Time: now, Counter: counter & (1<<24 - 1)}, s.touch)

	turn := 2 * math.Pi * float64(now.UnixMilli()%motionPeriod.Milliseconds()*1000+int64(now.Nanosecond()/1000%1000)) /
		float64(motionPeriod.Microseconds())
	s.move(&s.hand, s.dial.at(turn))
	s.move(&s.ball, s.track.at(turn))
	if s.texture != nil {
		s.texture.update(key, s.touch)
	}
}

// move puts a moving shape to another place.
func (s *scene) move(b *bar, to capsule) {
	if b.capsule == to {
		return
	}
	s.touch(b.bounds())
	b.capsule = to
	s.touch(b.bounds())
}

// touch marks the macroblocks of r as changed.
func (s *scene) touch(r rect) {
	x0, x1 := max(r.x0>>4, 0), min((r.x1+15)>>4, s.mbWidth)
	for y := max(r.y0>>4, 0); y < min((r.y1+15)>>4, s.mbHeight); y++ {
		for x := x0; x < x1; x++ {
			s.dirty[y*s.mbWidth+x] = true
		}
	}
}

// paint draws a macroblock and reports whether it is one of the texture.
func (s *scene) paint(p *pixels, mbx, mby int) (grain bool) {
	x, y := mbx*16, mby*16
	mb := rect{x, y, x + 16, y + 16}
	if !s.stamp.bounds().intersect(mb).empty() {
		s.stamp.paint(p, x, y)
		return false
	}
	grain = s.texture != nil && !s.texture.intersect(mb).empty()
	if grain {
		s.texture.paint(p, x, y)
	} else {
		fill{mb, s.ground}.paint(p, x, y)
	}
	for _, i := range s.rows[mby] {
		if st := &s.static[i]; !st.intersect(mb).empty() {
			st.paint(p, x, y)
		}
	}
	for _, f := range [...]*field{s.clock, s.millis, s.date, s.frames} {
		if !f.bounds().intersect(mb).empty() {
			f.paint(p, x, y)
		}
	}
	for _, b := range [...]*bar{&s.hand, &s.ball} {
		if !b.bounds().intersect(mb).empty() {
			b.paint(p, x, y)
		}
	}
	return grain
}

// spent and end tell what the picture takes, in bits.
func (s *scene) spent(mbx, mby, bits int) {
	if s.texture != nil {
		s.texture.spent(mbx*16, mby*16, bits)
	}
}

func (s *scene) end(bits int) {
	if s.texture != nil {
		s.texture.end(bits)
	}
}

// dial is a circle with a hand that turns evenly.
type dial struct{ x, y, inner, outer, half float64 }

// at returns the hand, turn radians clockwise from the top.
func (d dial) at(turn float64) capsule {
	sin, cos := math.Sincos(turn)
	return capsule{d.x + d.inner*sin, d.y - d.inner*cos, d.x + d.outer*sin, d.y - d.outer*cos, d.half}
}

// track is the way of a ball that swings from its left end to its right end
// and back.
type track struct{ left, right, y, half float64 }

// at returns the ball; at turn 0 it is at the left end.
func (t track) at(turn float64) capsule {
	x := t.left + (t.right-t.left)*(1-math.Cos(turn))/2
	return capsule{x, t.y, x, t.y, t.half}
}
