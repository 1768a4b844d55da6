package encoder

// semiPlanar is NV12 and NV21: the luma, then lines in which both chromas alternate.
type semiPlanar struct {
	stride, height int // of the luma as the device has it
	crFirst        bool
}

// pack implements packer.
func (p semiPlanar) pack(dst *planes, picture []byte) error {
	stride := p.stride + p.stride&1 // a chroma line of an odd width has one more
	at := p.stride * p.height
	if err := need(picture, at+extent(stride, dst.height/2, dst.width)); err != nil {
		return err
	}
	copyLines(dst.y, dst.width, lines{picture, p.stride})
	src := lines{picture[at:], stride}
	for i := range dst.height / 2 {
		cb, cr := dst.chroma(i)
		if p.crFirst {
			cb, cr = cr, cb
		}
		split(cb, cr, src.line(i, dst.width))
	}
	return nil
}

// split gives the bytes of src to two lines in turn.
func split(first, second, src []byte) {
	for len(first) >= 8 && len(second) >= 8 && len(src) >= 16 {
		a, b := load(src), load(src[8:])
		store(first, even(a)|even(b)<<32)
		store(second, even(a>>8)|even(b>>8)<<32)
		first, second, src = first[8:], second[8:], src[16:]
	}
	for i := range first {
		first[i], second[i] = src[2*i], src[2*i+1]
	}
}

// planar is YU12 and YV12: the luma, then one chroma, then the other, with lines half
// as long.
type planar struct {
	stride, height int // of the luma as the device has it
	crFirst        bool
}

// pack implements packer.
func (p planar) pack(dst *planes, picture []byte) error {
	stride, first := (p.stride+1)/2, p.stride*p.height
	second := first + stride*((p.height+1)/2)
	if err := need(picture, second+extent(stride, dst.height/2, dst.width/2)); err != nil {
		return err
	}
	copyLines(dst.y, dst.width, lines{picture, p.stride})
	cb, cr := dst.cb, dst.cr
	if p.crFirst {
		cb, cr = cr, cb
	}
	copyLines(cb, dst.width/2, lines{picture[first:], stride})
	copyLines(cr, dst.width/2, lines{picture[second:], stride})
	return nil
}

// copyLines fills dst with lines of n bytes.
func copyLines(dst []byte, n int, src lines) {
	if src.stride == n {
		copy(dst, src.bytes)
		return
	}
	for i := range len(dst) / n {
		copy(dst[i*n:][:n], src.line(i, n))
	}
}

// grey is GREY: luma alone. Sensors that deliver it know the full range only.
type grey struct{ stride int }

// pack implements packer.
func (p grey) pack(dst *planes, picture []byte) error {
	if err := need(picture, extent(p.stride, dst.height, dst.width)); err != nil {
		return err
	}
	src, s := lines{picture, p.stride}, squeezeLuma()
	for i := range dst.height {
		s.line(dst.luma(i), src.line(i, dst.width))
	}
	colourless(dst)
	return nil
}

// colourless takes the colour out of a picture.
func colourless(dst *planes) {
	for i := range dst.cb {
		dst.cb[i] = 128
	}
	copy(dst.cr, dst.cb)
}
