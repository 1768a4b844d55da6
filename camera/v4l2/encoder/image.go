package encoder

// planes is a picture as encoders take it: I420, no gap between lines, an even size.
type planes struct {
	width, height int    // of the luma, even
	y, cb, cr     []byte // width*height, and a quarter of it each
}

func newPlanes(width, height int) *planes {
	width, height = width&^1, height&^1
	n := width * height
	all := make([]byte, n+n/2)
	return &planes{width: width, height: height, y: all[:n:n], cb: all[n : n+n/4 : n+n/4], cr: all[n+n/4:]}
}

// luma returns line i of the luma.
func (p *planes) luma(i int) []byte { return p.y[i*p.width : (i+1)*p.width] }

// chroma returns line i of both chroma planes.
func (p *planes) chroma(i int) (cb, cr []byte) {
	w := p.width / 2
	return p.cb[i*w : (i+1)*w], p.cr[i*w : (i+1)*w]
}

// packer makes planes of a device's picture. An error wraps ErrPicture; nothing is
// written then, or only some of it.
type packer interface {
	pack(dst *planes, picture []byte) error
}
