package encoder

// packed is YUYV and its like: 4:2:2, two pixels in four bytes, of which two are luma
// and one is of each chroma.
type packed struct {
	stride      int
	luma        uint // where the first pixel's luma is: byte 0 or 1
	chromaFirst int  // where the first chroma is: byte 1 or 0
	crFirst     bool
}

func newPacked(fourCC string, stride int) packed {
	p := packed{stride: stride, chromaFirst: 1, crFirst: fourCC == "YVYU" || fourCC == "VYUY"}
	if fourCC == "UYVY" || fourCC == "VYUY" {
		p.luma, p.chromaFirst = 1, 0
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
		a, b := src.line(i, n), src.line(i+1, n)
		p.lumaLine(dst.luma(i), a)
		p.lumaLine(dst.luma(i+1), b)
		cb, cr := dst.chroma(i / 2)
		if p.crFirst {
			cb, cr = cr, cb
		}
		p.chromaLine(cb, cr, a, b)
	}
	return nil
}

func (p packed) lumaLine(dst, src []byte) {
	shift := p.luma * 8
	for len(dst) >= 8 && len(src) >= 16 {
		store(dst, even(load(src)>>shift)|even(load(src[8:])>>shift)<<32)
		dst, src = dst[8:], src[16:]
	}
	for i := range dst {
		dst[i] = src[2*i+int(p.luma)]
	}
}

func (p packed) chromaLine(first, second, a, b []byte) {
	shift := uint(p.chromaFirst) * 8
	for len(first) >= 4 && len(second) >= 4 && len(a) >= 16 && len(b) >= 16 {
		low, high := mean(load(a), load(b))>>shift, mean(load(a[8:]), load(b[8:]))>>shift
		both := even(low) | even(high)<<32
		storeHalf(first, even(both))
		storeHalf(second, even(both>>8))
		first, second, a, b = first[4:], second[4:], a[16:], b[16:]
	}
	for i := range first {
		at := 4*i + p.chromaFirst
		first[i], second[i] = meanByte(a[at], b[at]), meanByte(a[at+2], b[at+2])
	}
}
