package nal

// HasSEI reports whether supplemental enhancement information holds a message of
// the given payloadType (ITU-T H.264 §7.3.2.3.1, H.265 §7.3.5). data is the NAL
// unit without its header.
func HasSEI(data []byte, payloadType uint32) bool {
	r := NewBitReader(data)
	for {
		kind, size := seiNumber(r), seiNumber(r)
		if r.Failed() {
			return false
		}
		if kind == payloadType {
			return true
		}
		r.skipBytes(size)
	}
}

// seiNumber reads a number coded as a run of 255s and a smaller byte.
func seiNumber(r *BitReader) (n uint32) {
	for {
		b := r.Bits(8)
		n += b
		if b != 255 || r.Failed() {
			return n
		}
	}
}
