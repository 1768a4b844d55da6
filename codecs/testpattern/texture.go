package testpattern

// texture is a strip of grain that changes as much as it takes to reach a
// bitrate. One macroblock is the unit of change.
type texture struct {
	rect        // whole macroblocks
	columns     int
	base        colour
	targetBits  int // a frame
	framesASec  int
	grains      []grain // by macroblock
	next        int     // the macroblock to change next
	amplitude   float64 // of the grain of the next changes, in luma steps
	balanceBits int     // bits saved so far: negative when overspent

	// In the current picture.
	chosen, spentBits int
	key               bool
	// Running means.
	bitsPerMB, otherBits float64
}

// grain is the look of one macroblock.
type grain struct {
	version   uint32 // a change of version is a new look
	amplitude float64
}

const (
	minAmplitude = 6
	maxAmplitude = 88
	// densestMB is what a macroblock of the strongest grain takes at least, in
	// bits.
	densestMB = 1100
)

// newTexture returns a texture of the whole macroblocks within r.
func newTexture(r rect, base colour, o Options) *texture {
	r = rect{(r.x0 + 15) &^ 15, (r.y0 + 15) &^ 15, r.x1 &^ 15, r.y1 &^ 15}
	t := &texture{
		rect: r, columns: (r.x1 - r.x0) / 16, base: base,
		targetBits: o.Bitrate / o.FPS, framesASec: o.FPS,
		amplitude: 24, bitsPerMB: 600, otherBits: 16_000,
	}
	t.grains = make([]grain, t.columns*((r.y1-r.y0)/16))
	for i := range t.grains {
		t.grains[i].amplitude = t.amplitude
	}
	return t
}

func (t *texture) bounds() rect { return t.rect }

// update chooses how many macroblocks change in the next picture and calls
// changed for each.
func (t *texture) update(key bool, changed func(rect)) {
	t.key, t.spentBits, t.chosen = key, 0, 0
	if key {
		return
	}
	// What a key frame overspends is saved up again within half a second.
	budget := float64(t.targetBits) + 2*float64(t.balanceBits)/float64(t.framesASec) - t.otherBits
	want := budget / t.bitsPerMB
	switch n := float64(len(t.grains)); {
	case want > 0.8*n:
		t.amplitude = min(t.amplitude*1.1, maxAmplitude)
	case want < 0.4*n:
		t.amplitude = max(t.amplitude*0.95, minAmplitude)
	}
	t.chosen = min(max(int(want+0.5), 0), len(t.grains))
	for range t.chosen {
		g := &t.grains[t.next]
		g.version, g.amplitude = g.version+1, t.amplitude
		x, y := t.x0+t.next%t.columns*16, t.y0+t.next/t.columns*16
		changed(rect{x, y, x + 16, y + 16})
		t.next = (t.next + 1) % len(t.grains)
	}
}

// spent tells the texture what a macroblock took.
func (t *texture) spent(x, y, bits int) {
	if x >= t.x0 && x < t.x1 && y >= t.y0 && y < t.y1 {
		t.spentBits += bits
	}
}

// end tells the texture what the whole picture took.
func (t *texture) end(bits int) {
	limit := t.targetBits * t.framesASec
	t.balanceBits = min(max(t.balanceBits+t.targetBits-bits, -limit), limit/8)
	if t.key {
		return
	}
	t.otherBits += (float64(bits-t.spentBits) - t.otherBits) / 8
	if t.chosen > 0 {
		t.bitsPerMB = max(t.bitsPerMB+(float64(t.spentBits)/float64(t.chosen)-t.bitsPerMB)/4, 40)
	}
}

func (t *texture) paint(p *pixels, x, y int) {
	i := (y-t.y0)/16*t.columns + (x-t.x0)/16
	// Any mixing of place and version will do; xorshift needs a seed that is
	// not zero.
	seed := (uint32(i)*0x9E3779B1 ^ t.grains[i].version*0x85EBCA6B) | 1
	scale := int(t.grains[i].amplitude * 256)
	for k := range p.luma {
		if k%4 == 0 {
			seed ^= seed << 13
			seed ^= seed >> 17
			seed ^= seed << 5
		}
		v := int(seed>>(k%4*8)&0xFF) - 128
		p.luma[k] = uint8(min(max(int(t.base.y)+v*scale>>15, 16), 235))
	}
	for k := range p.chroma[0] {
		p.chroma[0][k], p.chroma[1][k] = t.base.cb, t.base.cr
	}
}
