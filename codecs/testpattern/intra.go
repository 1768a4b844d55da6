package testpattern

// Intra_16x16 prediction modes (ITU-T H.264 table 8-4).
const (
	lumaVertical = iota
	lumaHorizontal
	lumaDC
)

// Intra chroma prediction modes (table 8-5).
const (
	chromaDC = iota
	chromaHorizontal
	chromaVertical
)

// neighbours holds the samples around a macroblock that intra prediction uses,
// as the decoder has them.
type neighbours struct {
	hasTop, hasLeft       bool
	top, left             [16]uint8
	topChroma, leftChroma [2][8]uint8
}

// neighbours loads what lies above and left of a macroblock. The picture is
// one slice, so only its edges have no neighbours.
func (f *frame) neighbours(n *neighbours, mbx, mby int) {
	n.hasTop, n.hasLeft = mby > 0, mbx > 0
	stride := f.mbWidth * 16
	at := mby*16*stride + mbx*16
	if n.hasTop {
		copy(n.top[:], f.luma[at-stride:])
	}
	if n.hasLeft {
		for y := range 16 {
			n.left[y] = f.luma[at-1+y*stride]
		}
	}
	stride = f.mbWidth * 8
	at = mby*8*stride + mbx*8
	for c := range 2 {
		if n.hasTop {
			copy(n.topChroma[c][:], f.chroma[c][at-stride:])
		}
		if n.hasLeft {
			for y := range 8 {
				n.leftChroma[c][y] = f.chroma[c][at-1+y*stride]
			}
		}
	}
}

// predictLuma makes the Intra_16x16 prediction (§8.3.3). ok is false where the
// mode's neighbours do not exist.
func (n *neighbours) predictLuma(mode int, p *[256]uint8) (ok bool) {
	switch mode {
	case lumaVertical:
		if !n.hasTop {
			return false
		}
		for y := 0; y < 256; y += 16 {
			copy(p[y:y+16], n.top[:])
		}
	case lumaHorizontal:
		if !n.hasLeft {
			return false
		}
		for y := range 16 {
			row, v := p[y*16:y*16+16], n.left[y]
			for x := range row {
				row[x] = v
			}
		}
	default:
		v := dcValue(n.hasTop, n.hasLeft, n.top[:], n.left[:])
		for i := range p {
			p[i] = v
		}
	}
	return true
}

// predictChroma makes the prediction of both chroma components (§8.3.4). ok is
// false where the mode's neighbours do not exist.
func (n *neighbours) predictChroma(mode int, p *[2][64]uint8) (ok bool) {
	if mode == chromaVertical && !n.hasTop || mode == chromaHorizontal && !n.hasLeft {
		return false
	}
	for c := range 2 {
		top, left := &n.topChroma[c], &n.leftChroma[c]
		for y := range 8 {
			row := p[c][y*8 : y*8+8]
			switch mode {
			case chromaVertical:
				copy(row, top[:])
			case chromaHorizontal:
				for x := range row {
					row[x] = left[y]
				}
			}
		}
		if mode != chromaDC {
			continue
		}
		for blk := range 4 {
			x, y := blk%2*4, blk/2*4
			hasTop, hasLeft := n.hasTop, n.hasLeft
			// Off the diagonal one neighbour counts alone if it exists.
			switch {
			case blk == 1 && hasTop:
				hasLeft = false
			case blk == 2 && hasLeft:
				hasTop = false
			}
			v := dcValue(hasTop, hasLeft, top[x:x+4], left[y:y+4])
			for i := range 4 {
				row := p[c][(y+i)*8+x:]
				row[0], row[1], row[2], row[3] = v, v, v, v
			}
		}
	}
	return true
}

// dcValue returns the rounded mean of the neighbours that exist, 128 if none.
func dcValue(hasTop, hasLeft bool, top, left []uint8) uint8 {
	sum, n := 0, 0
	if hasTop {
		for _, v := range top {
			sum += int(v)
		}
		n += len(top)
	}
	if hasLeft {
		for _, v := range left {
			sum += int(v)
		}
		n += len(left)
	}
	if n == 0 {
		return 128
	}
	return uint8((sum + n/2) / n)
}
