package encoder

// rgb is RGB3 and BGR3: three bytes a pixel.
type rgb struct {
	stride    int
	blueFirst bool
}

// pack implements packer. The matrix is that of ITU-R BT.601 §2.5, in 1/256; a chroma
// sample is that of the mean of four pixels.
func (p rgb) pack(dst *planes, picture []byte) error {
	n := dst.width * 3
	if err := need(picture, extent(p.stride, dst.height, n)); err != nil {
		return err
	}
	red, blue := 0, 2
	if p.blueFirst {
		red, blue = 2, 0
	}
	src := lines{picture, p.stride}
	for i := 0; i < dst.height; i += 2 {
		a, b := src.line(i, n), src.line(i+1, n)
		ya, yb := dst.luma(i), dst.luma(i+1)
		cb, cr := dst.chroma(i / 2)
		for x := range cb {
			pa, pb := a[6*x:][:6], b[6*x:][:6]
			ya[2*x], ya[2*x+1] = luma(pa[red], pa[1], pa[blue]), luma(pa[red+3], pa[4], pa[blue+3])
			yb[2*x], yb[2*x+1] = luma(pb[red], pb[1], pb[blue]), luma(pb[red+3], pb[4], pb[blue+3])
			r := int(pa[red]) + int(pa[red+3]) + int(pb[red]) + int(pb[red+3])
			g := int(pa[1]) + int(pa[4]) + int(pb[1]) + int(pb[4])
			b := int(pa[blue]) + int(pa[blue+3]) + int(pb[blue]) + int(pb[blue+3])
			cb[x] = byte((-38*r-74*g+112*b+512)>>10 + 128)
			cr[x] = byte((112*r-94*g-18*b+512)>>10 + 128)
		}
	}
	return nil
}

func luma(r, g, b byte) byte {
	return byte((66*int(r)+129*int(g)+25*int(b)+128)>>8 + 16)
}
