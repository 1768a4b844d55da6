package nal

// BitReader reads the bits of a NAL unit from the most significant on, leaving
// out emulation prevention bytes (ITU-T H.264 §7.4.1, H.265 §7.4.2). It copies
// nothing. Once a read fails all later ones return 0 and Failed reports true, so
// a parser can check once at its end.
type BitReader struct {
	buf    []byte
	zeros  int // zero bytes just before buf
	cur    byte
	left   int // unread bits of cur
	failed bool
}

// NewBitReader returns a reader of a NAL unit, or of its bytes from some whole
// byte on.
func NewBitReader(unit []byte) *BitReader { return &BitReader{buf: unit} }

// Failed reports whether a read went past the end or met an impossible code.
func (r *BitReader) Failed() bool { return r.failed }

// Bit reads one bit.
func (r *BitReader) Bit() uint32 {
	if r.left == 0 && !r.fill() {
		return 0
	}
	r.left--
	return uint32(r.cur>>r.left) & 1
}

// Flag reads one bit as a truth value.
func (r *BitReader) Flag() bool { return r.Bit() == 1 }

// Bits reads n bits, at most 32, as an unsigned number: u(n).
func (r *BitReader) Bits(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.Bit()
	}
	if r.failed {
		return 0
	}
	return v
}

// UE reads an Exp-Golomb code: ue(v), at most 2^32-2 (ITU-T H.264 §9.1).
func (r *BitReader) UE() uint32 {
	zeros := 0
	for r.Bit() == 0 {
		if zeros++; r.failed || zeros > 31 {
			r.failed = true
			return 0
		}
	}
	v := 1<<zeros - 1 + r.Bits(zeros)
	if r.failed {
		return 0
	}
	return v
}

// skipBytes passes over n whole bytes. The reader has to be at a byte's start.
func (r *BitReader) skipBytes(n uint32) {
	for ; n > 0 && r.fill(); n-- {
		r.left = 0
	}
}

// fill takes the next byte, passing over an emulation prevention byte.
func (r *BitReader) fill() bool {
	if r.zeros >= 2 && len(r.buf) > 0 && r.buf[0] == 3 {
		r.buf, r.zeros = r.buf[1:], 0
	}
	if r.failed || len(r.buf) == 0 {
		r.failed = true
		return false
	}
	r.cur, r.buf, r.left = r.buf[0], r.buf[1:], 8
	if r.cur == 0 {
		r.zeros++
	} else {
		r.zeros = 0
	}
	return true
}
