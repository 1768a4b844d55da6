package encoder

// packed is YUYV and its like: 4:2:2, two pixels in four bytes, of which two are luma
// and one is of each chroma.
type packed struct {
	stride       int
	luma, chroma int // which byte is the first of its kind: 0 and 1, or 1 and 0
	crFirst      bool
}

func newPacked(fourCC string, stride int) packed {
	p := packed{stride: stride, chroma: 1, crFirst: fourCC == "YVYU" || fourCC == "VYUY"}
	if fourCC == "UYVY" || fourCC == "VYUY" {
		p.luma, p.chroma = 1, 0
	}
	return p
}

// pack implements packer. A line of chroma is the mean of two.
func (p packed) pack(dst *planes, picture []byte) error {
	n := dst.width * 2
	if err := need(picture, extent(p.stride, dst.height, n)); err != nil {
		return err
	}
	src := lines{picture, p.stride}
	for i := 0; i < dst.height; i += 2 {
		first, second := dst.chroma(i / 2)
		if p.crFirst {
			first, second = second, first
		}
		p.twoLines(dst.luma(i), dst.luma(i+1), first, second, src.line(i, n), src.line(i+1, n))
	}
	return nil
}

// twoLines packs lines a and b.
func (p packed) twoLines(ya, yb, first, second, a, b []byte) {
	luma, chroma := uint(p.luma)*8&63, uint(p.chroma)*8&63 // bits; &63 spares the compiler a check
	i := 0
	for ; i+4 <= len(first); i += 4 {
		wa, wb := a[4*i:4*i+16], b[4*i:4*i+16]
		a0, a1, b0, b1 := load(wa), load(wa[8:]), load(wb), load(wb[8:])
		store(ya[2*i:2*i+8], even(a0>>luma)|even(a1>>luma)<<32)
		store(yb[2*i:2*i+8], even(b0>>luma)|even(b1>>luma)<<32)
		both := even(mean(a0, b0)>>chroma) | even(mean(a1, b1)>>chroma)<<32
		storeHalf(first[i:i+4], even(both))
		storeHalf(second[i:i+4], even(both>>8))
	}
	for ; i < len(first); i++ {
		pa, pb := a[4*i:4*i+4], b[4*i:4*i+4]
		ya[2*i], ya[2*i+1] = pa[p.luma], pa[p.luma+2]
		yb[2*i], yb[2*i+1] = pb[p.luma], pb[p.luma+2]
		first[i] = meanByte(pa[p.chroma], pb[p.chroma])
		second[i] = meanByte(pa[p.chroma+2], pb[p.chroma+2])
	}
}
