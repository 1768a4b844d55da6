package testpattern

// residuals holds the quantized coefficients of one macroblock in scan order.
type residuals struct {
	lumaDC   [16]int16
	luma     [16][16]int16 // by block in coding order (ITU-T H.264 figure 6-10)
	lumaSome [16]bool      // whether any level of luma is not zero
	chromaDC [2][4]int16
	chroma   [2][4][16]int16
	// chromaCBP is 0 for no chroma coefficients, 1 for DC only, 2 for both.
	chromaCBP  int
	chromaSome [2][4]bool // AC levels
}

// lumaX and lumaY return the place of a luma block in units of blocks.
func lumaX(blk int) int { return blk&1 | blk>>1&2 }
func lumaY(blk int) int { return blk>>1&1 | blk>>2&2 }

// difference loads the residual of a 4x4 block and reports whether it is not
// all zero.
func difference(b *[16]int32, src, pred []uint8, at, stride int) bool {
	some := int32(0)
	for i := 0; i < 16; i += 4 {
		s, p := src[at:at+4:at+4], pred[at:at+4:at+4]
		b[i] = int32(s[0]) - int32(p[0])
		b[i+1] = int32(s[1]) - int32(p[1])
		b[i+2] = int32(s[2]) - int32(p[2])
		b[i+3] = int32(s[3]) - int32(p[3])
		some |= b[i] | b[i+1] | b[i+2] | b[i+3]
		at += stride
	}
	return some != 0
}

// restore adds the inverse transform of a block to the prediction, in place.
func restore(p []uint8, b *[16]int32, at, stride int) {
	inverse(b)
	for i := 0; i < 16; i += 4 {
		row := p[at : at+4 : at+4]
		for x := range row {
			row[x] = clip(int32(row[x]) + (b[i+x]+32)>>6)
		}
		at += stride
	}
}

func clip(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// intraLuma quantizes the luma of an Intra_16x16 macroblock and turns the
// prediction p into the decoded samples. It reports whether there are AC
// coefficients.
func (r *residuals) intraLuma(q *quantizer, src, p *[256]uint8) (ac bool) {
	if *src == *p { // most of the picture is flat
		r.lumaDC = [16]int16{}
		return false
	}
	var b [16][16]int32
	var dc [16]int32
	for blk := range 16 {
		x, y := lumaX(blk), lumaY(blk)
		r.lumaSome[blk] = false
		if difference(&b[blk], src[:], p[:], y*64+x*4, 16) {
			forward(&b[blk])
			dc[y*4+x] = b[blk][0]
			r.lumaSome[blk] = q.block(&b[blk], &r.luma[blk], 1)
			ac = ac || r.lumaSome[blk]
		}
	}
	q.lumaDC(&dc, &r.lumaDC)
	for blk := range 16 {
		x, y := lumaX(blk), lumaY(blk)
		b[blk][0] = dc[y*4+x]
		if b[blk][0] != 0 || r.lumaSome[blk] {
			restore(p[:], &b[blk], y*64+x*4, 16)
		}
	}
	return ac
}

// interLuma quantizes the luma of a P_L0_16x16 macroblock and turns the
// prediction p into the decoded samples. It returns the luma part of
// coded_block_pattern.
func (r *residuals) interLuma(q *quantizer, src, p *[256]uint8) (cbp int) {
	var b [16]int32
	for blk := range 16 {
		at := lumaY(blk)*64 + lumaX(blk)*4
		r.lumaSome[blk] = false
		if !difference(&b, src[:], p[:], at, 16) {
			continue
		}
		forward(&b)
		if q.block(&b, &r.luma[blk], 0) {
			r.lumaSome[blk] = true
			cbp |= 1 << (blk / 4)
			restore(p[:], &b, at, 16)
		}
	}
	return cbp
}

// codeChroma quantizes both chroma components and turns the prediction p into
// the decoded samples.
func (r *residuals) codeChroma(q *quantizer, src, p *[2][64]uint8) {
	r.chromaCBP = 0
	if *src == *p {
		r.chromaDC = [2][4]int16{}
		return
	}
	for c := range 2 {
		var b [4][16]int32
		var dc [4]int32
		differs := false
		for blk := range 4 {
			r.chromaSome[c][blk] = false
			if difference(&b[blk], src[c][:], p[c][:], blk/2*32+blk%2*4, 8) {
				differs = true
				forward(&b[blk])
				dc[blk] = b[blk][0]
				r.chromaSome[c][blk] = q.block(&b[blk], &r.chroma[c][blk], 1)
				if r.chromaSome[c][blk] {
					r.chromaCBP = 2
				}
			}
		}
		r.chromaDC[c] = [4]int16{}
		if !differs {
			continue
		}
		if q.chromaDC(&dc, &r.chromaDC[c]) {
			r.chromaCBP = max(r.chromaCBP, 1)
		}
		for blk := range 4 {
			b[blk][0] = dc[blk]
			if dc[blk] != 0 || r.chromaSome[c][blk] {
				restore(p[c][:], &b[blk], blk/2*32+blk%2*4, 8)
			}
		}
	}
}

// cost estimates the bits of a residual by the sum of its magnitudes; with dc,
// after its mean is taken away, which costs Intra_16x16 next to nothing.
func cost(src, pred *[256]uint8, dc bool) int {
	mean := 0
	if dc {
		for i, s := range src {
			mean += int(s) - int(pred[i])
		}
		mean = (mean + 128) >> 8
	}
	sum := 0
	for i, s := range src {
		d := int(s) - int(pred[i]) - mean
		sum += max(d, -d)
	}
	return sum
}

func costChroma(src, pred *[2][64]uint8) int {
	sum := 0
	for c := range 2 {
		for i, s := range &src[c] {
			d := int(s) - int(pred[c][i])
			sum += max(d, -d)
		}
	}
	return sum
}
