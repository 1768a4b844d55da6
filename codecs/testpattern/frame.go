package testpattern

// frame holds a picture in whole macroblocks, 4:2:0. It is the decoder's
// picture: the encoder codes in place, so that at each macroblock what lies
// before it is this picture and what lies after it is the one before.
type frame struct {
	mbWidth, mbHeight int
	luma              []uint8    // 16*mbWidth bytes a row
	chroma            [2][]uint8 // Cb and Cr, 8*mbWidth bytes a row
}

func newFrame(mbWidth, mbHeight int) frame {
	n := mbWidth * mbHeight
	return frame{
		mbWidth: mbWidth, mbHeight: mbHeight,
		luma:   make([]uint8, n*256),
		chroma: [2][]uint8{make([]uint8, n*64), make([]uint8, n*64)},
	}
}

// pixels holds the samples of one macroblock in raster order.
type pixels struct {
	luma   [256]uint8
	chroma [2][64]uint8
}

// load copies a macroblock out of the frame.
func (f *frame) load(p *pixels, mbx, mby int) {
	stride := f.mbWidth * 16
	at := mby*16*stride + mbx*16
	for y := range 16 {
		copy(p.luma[y*16:y*16+16], f.luma[at:at+16])
		at += stride
	}
	stride = f.mbWidth * 8
	for c := range 2 {
		at = mby*8*stride + mbx*8
		for y := range 8 {
			copy(p.chroma[c][y*8:y*8+8], f.chroma[c][at:at+8])
			at += stride
		}
	}
}

// store copies a macroblock into the frame.
func (f *frame) store(p *pixels, mbx, mby int) {
	stride := f.mbWidth * 16
	at := mby*16*stride + mbx*16
	for y := range 16 {
		copy(f.luma[at:at+16], p.luma[y*16:y*16+16])
		at += stride
	}
	stride = f.mbWidth * 8
	for c := range 2 {
		at = mby*8*stride + mbx*8
		for y := range 8 {
			copy(f.chroma[c][at:at+8], p.chroma[c][y*8:y*8+8])
			at += stride
		}
	}
}
