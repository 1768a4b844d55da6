package testpattern

// zigzag is the frame scan of a 4x4 block (ITU-T H.264 table 8-12): the raster
// position of each index.
const zigzag = "\x00\x01\x04\x08\x05\x02\x03\x06\x09\x0c\x0d\x0a\x07\x0b\x0e\x0f"

// quantizer quantizes with one QP, from 12 to 29: below, the baseline
// profile's levels may overflow; above, chroma has a QP of its own.
type quantizer struct {
	scale    [16]int32 // by raster position, reciprocal of the step << shift
	restore  [16]int32 // by raster position, LevelScale/16 << (QP/6)
	shift    uint
	deadzone int32 // rounding offset of intra blocks: a third of a step
}

func newQuantizer(qp int) quantizer {
	scale := [6][3]int32{
		{13107, 5243, 8066}, {11916, 4660, 7490}, {10082, 4194, 6554},
		{9362, 3647, 5825}, {8192, 3355, 5243}, {7282, 2893, 4559},
	}[qp%6]
	restore := [6][3]int32{
		{10, 16, 13}, {11, 18, 14}, {13, 20, 16}, {14, 23, 18}, {16, 25, 20}, {18, 29, 23},
	}[qp%6]
	q := quantizer{shift: uint(15 + qp/6)}
	q.deadzone = (1 << q.shift) / 3
	for i := range 16 {
		class := 2
		switch x, y := i%4, i/4; {
		case x%2 == 0 && y%2 == 0:
			class = 0
		case x%2 == 1 && y%2 == 1:
			class = 1
		}
		q.scale[i] = scale[class]
		q.restore[i] = restore[class] << (qp / 6)
	}
	return q
}

// level quantizes one coefficient; extra is 1 for DC coefficients that went
// through a second transform.
func (q *quantizer) level(v, scale int32, extra uint) int16 {
	negative := v < 0
	if negative {
		v = -v
	}
	l := min((v*scale+q.deadzone<<extra)>>(q.shift+extra), maxLevel)
	if negative {
		l = -l
	}
	return int16(l)
}

// block quantizes the coefficients of a 4x4 block from scan index first on
// into levels in scan order, and replaces them by their restored values. It
// reports whether any level is not zero.
func (q *quantizer) block(coefs *[16]int32, levels *[16]int16, first int) bool {
	some := int16(0)
	for k := first; k < 16; k++ {
		i := zigzag[k] & 15
		l := q.level(coefs[i], q.scale[i], 0)
		levels[k] = l
		coefs[i] = int32(l) * q.restore[i]
		some |= l
	}
	return some != 0
}

// forward is the 4x4 core transform, in place (§8.5.12 inverted).
func forward(b *[16]int32) {
	for i := 0; i < 16; i += 4 {
		s0, s1 := b[i]+b[i+3], b[i+1]+b[i+2]
		d0, d1 := b[i]-b[i+3], b[i+1]-b[i+2]
		b[i], b[i+1], b[i+2], b[i+3] = s0+s1, 2*d0+d1, s0-s1, d0-2*d1
	}
	for i := range 4 {
		s0, s1 := b[i]+b[i+12], b[i+4]+b[i+8]
		d0, d1 := b[i]-b[i+12], b[i+4]-b[i+8]
		b[i], b[i+4], b[i+8], b[i+12] = s0+s1, 2*d0+d1, s0-s1, d0-2*d1
	}
}

// inverse is the 4x4 residual transform of §8.5.12.2, in place, without the
// final rounding.
func inverse(b *[16]int32) {
	for i := 0; i < 16; i += 4 {
		e0, e1 := b[i]+b[i+2], b[i]-b[i+2]
		e2, e3 := b[i+1]>>1-b[i+3], b[i+1]+b[i+3]>>1
		b[i], b[i+1], b[i+2], b[i+3] = e0+e3, e1+e2, e1-e2, e0-e3
	}
	for i := range 4 {
		e0, e1 := b[i]+b[i+8], b[i]-b[i+8]
		e2, e3 := b[i+4]>>1-b[i+12], b[i+4]+b[i+12]>>1
		b[i], b[i+4], b[i+8], b[i+12] = e0+e3, e1+e2, e1-e2, e0-e3
	}
}

// hadamard4 is the 4x4 transform of the luma DC coefficients (§8.5.10), in
// place; it is its own inverse but for a factor of 16.
func hadamard4(b *[16]int32) {
	for i := 0; i < 16; i += 4 {
		s0, s1 := b[i]+b[i+3], b[i+1]+b[i+2]
		d0, d1 := b[i]-b[i+3], b[i+1]-b[i+2]
		b[i], b[i+1], b[i+2], b[i+3] = s0+s1, d0+d1, s0-s1, d0-d1
	}
	for i := range 4 {
		s0, s1 := b[i]+b[i+12], b[i+4]+b[i+8]
		d0, d1 := b[i]-b[i+12], b[i+4]-b[i+8]
		b[i], b[i+4], b[i+8], b[i+12] = s0+s1, d0+d1, s0-s1, d0-d1
	}
}

// lumaDC quantizes the 16 DC coefficients of an Intra_16x16 macroblock (raster
// order of the blocks) into levels in scan order, and replaces them by their
// restored values (§8.5.10).
func (q *quantizer) lumaDC(dc *[16]int32, levels *[16]int16) {
	hadamard4(dc)
	for k := range 16 {
		i := zigzag[k] & 15
		levels[k] = q.level(dc[i]>>1, q.scale[0], 1)
		dc[i] = int32(levels[k])
	}
	hadamard4(dc)
	for i := range dc {
		dc[i] = dc[i] * q.restore[0] >> 2
	}
}

// chromaDC quantizes the 4 DC coefficients of a chroma component, and replaces
// them by their restored values (§8.5.11). It reports whether any level is not
// zero.
func (q *quantizer) chromaDC(dc *[4]int32, levels *[4]int16) bool {
	hadamard2(dc)
	some := int16(0)
	for i, v := range dc {
		levels[i] = q.level(v, q.scale[0], 1)
		some |= levels[i]
		dc[i] = int32(levels[i])
	}
	hadamard2(dc)
	for i := range dc {
		dc[i] = dc[i] * q.restore[0] >> 1
	}
	return some != 0
}

func hadamard2(b *[4]int32) {
	s0, d0, s1, d1 := b[0]+b[1], b[0]-b[1], b[2]+b[3], b[2]-b[3]
	b[0], b[1], b[2], b[3] = s0+s1, d0+d1, s0-s1, d0-d1
}
