package testpattern

// stampShape draws a Stamp.
type stampShape struct{ bits [stampBytes]byte }

// Shades of the stamp: well beyond the limits of 200 and 40 that readers may
// count on, but not glaring.
const (
	stampWhite = 220
	stampBlack = 20
)

func (s *stampShape) bounds() rect { return rect{0, 0, StampWidth, StampHeight} }

// set shows a stamp and calls changed for each cell that now looks different.
func (s *stampShape) set(st Stamp, changed func(rect)) {
	bits := st.marshal()
	for i, b := range bits {
		for k, diff := 0, b^s.bits[i]; k < 8; k++ {
			if diff<<k&0x80 != 0 {
				x, y := (i*8+k)%stampColumns*stampCell, (i*8+k)/stampColumns*stampCell
				changed(rect{x, y, x + stampCell, y + stampCell})
			}
		}
	}
	s.bits = bits
}

// paint draws one cell, which is just the macroblock.
func (s *stampShape) paint(p *pixels, x, y int) {
	i := y/stampCell*stampColumns + x/stampCell
	shade := uint8(stampBlack)
	if s.bits[i/8]<<(i%8)&0x80 != 0 {
		shade = stampWhite
	}
	for k := range p.luma {
		p.luma[k] = shade
	}
	for k := range p.chroma[0] {
		p.chroma[0][k], p.chroma[1][k] = 128, 128
	}
}
