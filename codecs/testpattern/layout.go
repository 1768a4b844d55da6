package testpattern

import (
	"fmt"
	"math"
)

// layout places the picture's parts, thought out for 1280x720, into a picture
// of any size.
type layout struct {
	scale float64
	x, y  float64 // where the 1280x720 begin
	faces *typeface
	scene *scene
}

// newLayout fits 1280x720 into the picture. What lies in whole macroblocks
// does so in every picture whose scale is whole.
func newLayout(width, height int) layout {
	l := layout{scale: min(float64(width)/1280, float64(height)/720)}
	l.x = math.Floor((float64(width)-1280*l.scale)/32) * 16
	l.y = math.Floor((float64(height)-720*l.scale)/32) * 16
	return l
}

// at returns a length of the 1280x720 in samples, even.
func (l layout) at(v int) int { return int(math.Round(float64(v)*l.scale/2)) * 2 }

// rect returns a rectangle of the 1280x720 in samples, with even edges.
func (l layout) rect(x0, y0, x1, y1 int) rect {
	x, y := int(l.x), int(l.y)
	return rect{x + l.at(x0), y + l.at(y0), x + l.at(x1), y + l.at(y1)}
}

// point returns a point of the 1280x720 in samples.
func (l layout) point(x, y float64) (px, py float64) { return l.x + x*l.scale, l.y + y*l.scale }

// textureRect is where the texture goes.
func (l layout) textureRect() rect { return l.rect(64, 352, 1216, 400) }

// MaxBitrate returns the highest Options.Bitrate, in bits a second, for a size
// and a number of frames a second: 0 for a size that New does not take.
func MaxBitrate(width, height, fps int) int {
	if width < 640 || height < 360 {
		return 0
	}
	t := newTexture(newLayout(width, height).textureRect(), colour{}, Options{FPS: 1})
	return len(t.grains) * densestMB * fps
}

// newScene lays the picture out.
func newScene(o Options) *scene {
	l := newLayout(o.Width, o.Height)
	s := &scene{
		mbWidth: macroblocks(o.Width), mbHeight: macroblocks(o.Height),
		ground: rgb(20, 25, 34),
	}
	s.dirty = make([]bool, s.mbWidth*s.mbHeight)
	l.scene, l.faces = s, newTypeface()
	l.head(o)
	l.bars(o)
	l.numbers(o)
	l.motion()
	s.rows = make([][]int, s.mbHeight)
	for i := range s.static {
		for y := range s.rows {
			if !s.static[i].intersect(rect{0, y * 16, s.mbWidth * 16, y*16 + 16}).empty() {
				s.rows[y] = append(s.rows[y], i)
			}
		}
	}
	return s
}

// Shades of text.
const (
	bright = 222
	soft   = 126
)

func (l layout) add(shapes ...shape) {
	for _, sh := range shapes {
		l.scene.static = append(l.scene.static, placed{sh.bounds(), sh})
	}
}

// lettering returns text of a capital's height at 720 lines.
func (l layout) lettering(height, weight float64) lettering {
	// Small letters need a stroke of at least a sample and a half to be read.
	h := max(height*l.scale, 9)
	return lettering{height: h, weight: max(weight, 1.4/h), tracking: 0.24}
}

// write puts text with the top of its capitals at y; x is its left end, or its
// right end where right is set.
func (l layout) write(x, y float64, text string, style lettering, shade uint8, right bool) {
	m, above := l.faces.draw(text, style)
	px, py := l.point(x, y)
	if right {
		px -= float64(m.width)
	}
	l.add(ink{int(px), int(py) - above, m, shade})
}

// head draws the strip beside the stamp and the line with the title.
func (l layout) head(o Options) {
	l.add(fill{rect{0, 0, l.scene.mbWidth * 16, StampHeight}, rgb(12, 15, 21)})
	small := l.lettering(18, 0.12)
	if o.Width >= 960 {
		label := l.lettering(13, 0.13)
		label.tracking = 0.5
		m, above := l.faces.draw("SIGHTLINE  TEST  PICTURE", label)
		x, _ := l.point(1216, 0)
		l.add(ink{int(x) - m.width, StampHeight/2 - above - int(label.height/2), m, soft})
	}
	facts := fmt.Sprintf("%d × %d  ·  %d fps", o.Width, o.Height, o.FPS)
	l.write(1216, 92, facts, small, soft, true)
	title := l.lettering(40, 0.12)
	room := 1152*l.scale - l.faces.width(facts, small) - 3*title.height
	l.write(64, 76, l.faces.fit(o.Title, title, room), title, bright, false)
}

// bars draws the colour bars, the steps of grey below and the texture's frame.
func (l layout) bars(o Options) {
	barsEnd, greyEnd := 352, 400
	if o.Bitrate > 0 {
		barsEnd, greyEnd = 320, 352
		l.scene.texture = newTexture(l.textureRect(), rgb(74, 86, 104), o)
		l.add(frameOf(l.rect(64, 352, 1216, 400), l.scene.texture.rect, rgb(74, 86, 104))...)
	}
	const hi, lo = 182, 50 // three quarters, softened
	for i := range 8 {
		level := func(off bool) float64 {
			if off {
				return lo
			}
			return hi
		}
		// From white to black in order of falling brightness.
		c := rgb(level(i&2 != 0), level(i&4 != 0), level(i&1 != 0))
		l.add(fill{l.rect(64+144*i, 144, 64+144*(i+1), barsEnd), c})
	}
	for i := range 18 {
		v := 255 * float64(i) / 17
		l.add(fill{l.rect(64+64*i, barsEnd, 64+64*(i+1), greyEnd), rgb(v, v, v)})
	}
	l.add(corners{l.rect(64, 144, 1216, 400), 16 * l.scale, l.scene.ground})
}

// frameOf fills what of outer is not inner.
func frameOf(outer, inner rect, c colour) []shape {
	var out []shape
	for _, r := range [...]rect{
		{outer.x0, outer.y0, outer.x1, inner.y0}, {outer.x0, inner.y1, outer.x1, outer.y1},
		{outer.x0, inner.y0, inner.x0, inner.y1}, {inner.x1, inner.y0, outer.x1, inner.y1},
	} {
		if !r.empty() {
			out = append(out, fill{r, c})
		}
	}
	return out
}

// numbers draws the clock, the date and the frame counter.
func (l layout) numbers(o Options) {
	s := l.scene
	big := fieldStyle{l.lettering(80, 0.125), l.at(64), l.at(32), l.at(96), bright}
	mid := fieldStyle{l.lettering(36, 0.13), l.at(32), l.at(16), l.at(48), soft}
	small := fieldStyle{l.lettering(24, 0.13), l.at(24), l.at(16), l.at(32), soft}
	place := func(x, y int, pattern string, style fieldStyle) *field {
		r := l.rect(x, y, x, y)
		return newField(l.faces, r.x0, r.y0, pattern, style)
	}
	s.clock = place(64, 448, "00:00:00", big)
	s.millis = place(512, 492, ".000", mid)
	s.date = place(64, 560, "0000-00-00", small)
	mid.shade = bright
	s.frames = place(704, 492, "00000000", mid)

	label := l.lettering(18, 0.12)
	l.write(304, 570, "UTC", label, soft, false)
	l.write(708, 459, "frame", label, soft, false)
	l.write(708, 570, fmt.Sprintf("key frame every %v", o.GOP), label, soft, false)
}

// motion draws the dial and the track, and dresses what moves on them.
func (l layout) motion() {
	s := l.scene
	line, accent := rgb(62, 72, 88), rgb(84, 206, 190)
	x, y := l.point(1128, 520)
	radius, half := 84*l.scale, max(2*l.scale, 1.2)
	l.add(ring{x, y, radius, half, line})
	for i := range 16 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 16)
		in := 0.86
		if i%4 == 0 {
			in = 0.78
		}
		l.add(bar{capsule{x + in*radius*sin, y - in*radius*cos, x + 0.9*radius*sin, y - 0.9*radius*cos, half * 0.8}, line})
	}
	s.dial = dial{x: x, y: y, inner: 0, outer: 0.66 * radius, half: 4 * l.scale}
	s.hand.colour = accent

	s.track.left, s.track.y = l.point(84, 656)
	s.track.right, _ = l.point(1196, 656)
	s.track.half = 18 * l.scale
	s.ball.colour = accent
	l.add(bar{capsule{s.track.left, s.track.y, s.track.right, s.track.y, half * 0.8}, line})
	for i := range 9 {
		tx := s.track.left + (s.track.right-s.track.left)*float64(i)/8
		l.add(bar{capsule{tx, s.track.y - 8*l.scale, tx, s.track.y + 8*l.scale, half * 0.8}, line})
	}
	s.hand.capsule, s.ball.capsule = s.dial.at(0), s.track.at(0)
}
