package testpattern

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// segment is a piece of a stroke, in units of a tenth of a capital's height.
type segment struct{ ax, ay, bx, by float64 }

// glyph is the drawing of one letter.
type glyph struct {
	width    float64
	segments []segment
}

// typeface holds the letters that the picture can show.
type typeface struct{ glyphs map[rune]glyph }

// newTypeface parses glyphText.
func newTypeface() *typeface {
	t := &typeface{glyphs: map[rune]glyph{' ': {width: 2.4}}}
	for line := range strings.Lines(strings.TrimSpace(glyphText)) {
		f := strings.Fields(line)
		r, _ := utf8.DecodeRuneInString(f[0])
		t.glyphs[r] = glyph{width: number(f[1]), segments: strokes(f[2:])}
	}
	i := t.glyphs['i']
	t.glyphs['ı'] = glyph{width: i.width, segments: i.segments[:1]}
	accents := map[string][]segment{}
	for line := range strings.Lines(strings.TrimSpace(accentPaths)) {
		f := strings.Fields(line)
		accents[f[0]] = strokes(f[1:])
	}
	for _, entry := range strings.FieldsFunc(accentText, func(r rune) bool { return r == '|' || r == '\n' }) {
		f := strings.Fields(entry)
		r, _ := utf8.DecodeRuneInString(f[0])
		base, _ := utf8.DecodeRuneInString(f[1])
		t.glyphs[r] = t.glyphs[base].with(accents[f[2]], f[2] != "cedilla" && f[2] != "stroke" && unicode.IsUpper(base))
	}
	return t
}

// with returns the letter with an accent over its middle, higher over a
// capital.
func (g glyph) with(accent []segment, capital bool) glyph {
	dx, dy := g.width/2, 0.0
	if capital {
		dy = -3
	}
	out := glyph{width: g.width, segments: append([]segment(nil), g.segments...)}
	for _, s := range accent {
		out.segments = append(out.segments, segment{s.ax + dx, s.ay + dy, s.bx + dx, s.by + dy})
	}
	return out
}

// letter returns the drawing of r, a box if there is none.
func (t *typeface) letter(r rune) glyph {
	if g, ok := t.glyphs[r]; ok {
		return g
	}
	return glyph{width: 5, segments: []segment{{0, 0, 5, 0}, {5, 0, 5, 10}, {5, 10, 0, 10}, {0, 10, 0, 0}}}
}

// strokes parses a path of glyphText.
func strokes(path []string) []segment {
	var out []segment
	var x, y float64
	down := false
	to := func(px, py float64) {
		if down {
			out = append(out, segment{x, y, px, py})
		}
		x, y, down = px, py, true
	}
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case "|":
			down = false
		case "E":
			cx, cy := pair(path[i+1])
			rx, ry := pair(path[i+2])
			from, until := pair(path[i+3])
			i += 3
			n := max(int(math.Abs(until-from)/9), 1)
			for k := range n + 1 {
				sin, cos := math.Sincos((from + (until-from)*float64(k)/float64(n)) * math.Pi / 180)
				to(cx+rx*cos, cy+ry*sin)
			}
		case "C":
			px, py := pair(path[i+1])
			qx, qy := pair(path[i+2])
			rx, ry := pair(path[i+3])
			i += 3
			sx, sy := x, y
			for k := 1; k <= 12; k++ {
				t := float64(k) / 12
				a, b, c, d := (1-t)*(1-t)*(1-t), 3*t*(1-t)*(1-t), 3*t*t*(1-t), t*t*t
				to(a*sx+b*px+c*qx+d*rx, a*sy+b*py+c*qy+d*ry)
			}
		default:
			to(pair(path[i]))
		}
	}
	return out
}

func pair(s string) (a, b float64) {
	l, r, _ := strings.Cut(s, ",")
	return number(l), number(r)
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("testpattern: typeface: " + err.Error())
	}
	return v
}

// mask is a drawing in shades: how much of each sample the ink covers.
type mask struct {
	width, height int
	cover         []uint8
}

// lettering says how text is drawn.
type lettering struct {
	height   float64 // of a capital, in samples
	weight   float64 // of a stroke, as a part of the height
	tracking float64 // space between letters, as a part of the height
}

// width returns how wide the text's ink is, in samples.
func (t *typeface) width(text string, l lettering) float64 {
	w := 0.0
	for i, r := range []rune(text) {
		if i > 0 {
			w += l.tracking * l.height
		}
		w += t.letter(r).width * l.height / 10
	}
	return w + l.weight*l.height
}

// fit returns text, shortened until it is at most limit samples wide.
func (t *typeface) fit(text string, l lettering, limit float64) string {
	runes := []rune(text)
	if len(runes) > 200 {
		runes = runes[:200]
	}
	for n := len(runes); n > 0; n-- {
		s := string(runes[:n])
		if n < len([]rune(text)) {
			s = strings.TrimRight(s, " ") + "..."
		}
		if t.width(s, l) <= limit {
			return s
		}
	}
	return ""
}

// draw returns the text as a mask, and the distance from the mask's top to the
// top of its capitals.
func (t *typeface) draw(text string, l lettering) (m mask, above int) {
	// The highest accents begin 3.6 units above, the deepest strokes end 3.1
	// units below the capitals.
	above = int(math.Ceil((0.36+l.weight/2)*l.height)) + 1
	m = mask{
		width:  int(math.Ceil(t.width(text, l))) + 2,
		height: above + int(math.Ceil((1.31+l.weight/2)*l.height)) + 1,
	}
	m.cover = make([]uint8, m.width*m.height)
	x := 1 + l.weight*l.height/2
	for _, r := range text {
		g := t.letter(r)
		m.stroke(g, x, float64(above), l)
		x += (g.width/10 + l.tracking) * l.height
	}
	return m, above
}

// cell returns one letter centred in a mask of the given size, for text whose
// letters change in place.
func (t *typeface) cell(r rune, width, height int, l lettering) mask {
	m := mask{width: width, height: height, cover: make([]uint8, width*height)}
	g := t.letter(r)
	m.stroke(g, (float64(width)-g.width*l.height/10)/2, (float64(height)-l.height)/2, l)
	return m
}

// stroke draws a letter whose left top corner is x, y.
func (m *mask) stroke(g glyph, x, y float64, l lettering) {
	unit, half := l.height/10, l.weight*l.height/2
	for _, s := range g.segments {
		c := capsule{x + s.ax*unit, y + s.ay*unit, x + s.bx*unit, y + s.by*unit, half}
		b := c.bounds().intersect(rect{0, 0, m.width, m.height})
		for py := b.y0; py < b.y1; py++ {
			for px := b.x0; px < b.x1; px++ {
				v := c.cover(float64(px)+0.5, float64(py)+0.5, 1)
				if at := py*m.width + px; v > m.cover[at] {
					m.cover[at] = v
				}
			}
		}
	}
}
