package testpattern

import "math"

// rect is a rectangle of luma samples; x1 and y1 lie outside.
type rect struct{ x0, y0, x1, y1 int }

func (r rect) intersect(o rect) rect {
	return rect{max(r.x0, o.x0), max(r.y0, o.y0), min(r.x1, o.x1), min(r.y1, o.y1)}
}

func (r rect) empty() bool { return r.x0 >= r.x1 || r.y0 >= r.y1 }

// colour is a colour in BT.709 Y'CbCr, limited range.
type colour struct{ y, cb, cr uint8 }

// rgb returns the colour of R'G'B' components from 0 to 255.
func rgb(r, g, b float64) colour {
	y := 0.2126*r + 0.7152*g + 0.0722*b
	return colour{
		y:  uint8(math.Round(16 + y*219/255)),
		cb: uint8(math.Round(128 + (b-y)/1.8556*224/255)),
		cr: uint8(math.Round(128 + (r-y)/1.5748*224/255)),
	}
}

// shape is something in the picture.
type shape interface {
	bounds() rect
	// paint draws the shape into the macroblock whose left top sample is x, y
	// of the picture; it lies at least partly within the shape's bounds.
	paint(p *pixels, x, y int)
}

func blend(under, over, cover uint8) uint8 {
	return uint8((int(under)*(255-int(cover)) + int(over)*int(cover) + 127) / 255)
}

// fill is a rectangle of one colour; its edges are even.
type fill struct {
	rect
	colour
}

func (f fill) bounds() rect { return f.rect }

func (f fill) paint(p *pixels, x, y int) {
	b := f.intersect(rect{x, y, x + 16, y + 16})
	for py := b.y0 - y; py < b.y1-y; py++ {
		row := p.luma[py*16+b.x0-x : py*16+b.x1-x]
		for i := range row {
			row[i] = f.y
		}
	}
	for py := (b.y0 - y) / 2; py < (b.y1-y)/2; py++ {
		from, to := py*8+(b.x0-x)/2, py*8+(b.x1-x)/2
		for i := from; i < to; i++ {
			p.chroma[0][i], p.chroma[1][i] = f.cb, f.cr
		}
	}
}

// ink is a mask in one shade at a place. It changes luma only: the colour is
// that of what lies under it, which looks well for text and saves bits.
type ink struct {
	x, y  int
	mask  mask
	shade uint8
}

func (k ink) bounds() rect { return rect{k.x, k.y, k.x + k.mask.width, k.y + k.mask.height} }

func (k ink) paint(p *pixels, x, y int) {
	b := k.bounds().intersect(rect{x, y, x + 16, y + 16})
	for py := b.y0; py < b.y1; py++ {
		cover := k.mask.cover[(py-k.y)*k.mask.width+b.x0-k.x:]
		row := p.luma[(py-y)*16+b.x0-x : (py-y)*16+b.x1-x]
		for i := range row {
			if cover[i] != 0 {
				row[i] = blend(row[i], k.shade, cover[i])
			}
		}
	}
}

// capsule is a line with round ends; with both ends in one place, a disc.
type capsule struct{ ax, ay, bx, by, half float64 }

func (c capsule) bounds() rect {
	return rect{
		int(math.Floor(min(c.ax, c.bx) - c.half - 1)), int(math.Floor(min(c.ay, c.by) - c.half - 1)),
		int(math.Ceil(max(c.ax, c.bx) + c.half + 1)), int(math.Ceil(max(c.ay, c.by) + c.half + 1)),
	}
}

// cover returns how much of the sample around x, y lies in the capsule, 0 to
// 255; size is the sample's width.
func (c capsule) cover(x, y, size float64) uint8 {
	dx, dy := c.bx-c.ax, c.by-c.ay
	px, py := x-c.ax, y-c.ay
	if n := dx*dx + dy*dy; n > 0 {
		t := min(max((px*dx+py*dy)/n, 0), 1)
		px, py = px-t*dx, py-t*dy
	}
	return edge(c.half-math.Sqrt(px*px+py*py), size)
}

// edge turns the distance inwards from an edge into a cover.
func edge(inside, size float64) uint8 {
	return uint8(255*min(max(inside/size+0.5, 0), 1) + 0.5)
}

// bar is a capsule in colour.
type bar struct {
	capsule
	colour
}

func (b bar) paint(p *pixels, x, y int) { paintCover(p, x, y, b.bounds(), b.colour, b.cover) }

// ring is a circle line in colour.
type ring struct {
	cx, cy, radius, half float64
	colour
}

func (r ring) bounds() rect { return capsule{r.cx, r.cy, r.cx, r.cy, r.radius + r.half}.bounds() }

func (r ring) paint(p *pixels, x, y int) {
	paintCover(p, x, y, r.bounds(), r.colour, func(px, py, size float64) uint8 {
		return edge(r.half-math.Abs(math.Hypot(px-r.cx, py-r.cy)-r.radius), size)
	})
}

// corners covers what lies outside of a rectangle's rounded corners.
type corners struct {
	rect
	radius float64
	colour
}

func (c corners) bounds() rect { return c.rect }

func (c corners) paint(p *pixels, x, y int) {
	near := int(c.radius)
	if x >= c.x0+near && x+16 <= c.x1-near || y >= c.y0+near && y+16 <= c.y1-near {
		return
	}
	paintCover(p, x, y, c.rect, c.colour, func(px, py, size float64) uint8 {
		dx := max(float64(c.x0)+c.radius-px, px-float64(c.x1)+c.radius, 0)
		dy := max(float64(c.y0)+c.radius-py, py-float64(c.y1)+c.radius, 0)
		return edge(math.Hypot(dx, dy)-c.radius, size)
	})
}

// paintCover blends a colour into a macroblock within bounds by a cover
// function of the sample's middle and width.
func paintCover(p *pixels, x, y int, bounds rect, c colour, cover func(x, y, size float64) uint8) {
	b := bounds.intersect(rect{x, y, x + 16, y + 16})
	for py := b.y0; py < b.y1; py++ {
		for px := b.x0; px < b.x1; px++ {
			if v := cover(float64(px)+0.5, float64(py)+0.5, 1); v != 0 {
				at := (py-y)*16 + px - x
				p.luma[at] = blend(p.luma[at], c.y, v)
			}
		}
	}
	for py := (b.y0 - y) / 2; py < (b.y1-y+1)/2; py++ {
		for px := (b.x0 - x) / 2; px < (b.x1-x+1)/2; px++ {
			if v := cover(float64(x+2*px)+1, float64(y+2*py)+1, 2); v != 0 {
				at := py*8 + px
				p.chroma[0][at] = blend(p.chroma[0][at], c.cb, v)
				p.chroma[1][at] = blend(p.chroma[1][at], c.cr, v)
			}
		}
	}
}
