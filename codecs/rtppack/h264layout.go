package rtppack

// Packet types of RFC 6184 §5.2 that are not NAL unit types.
const (
	h264STAPA = 24 // §5.7.1
	h264FUA   = 28 // §5.8
)

// h264Layout is the payload format of RFC 6184, packetization mode 1.
type h264Layout struct{}

func (h264Layout) headerSize() int { return 1 }

// carries excludes the types 0 and 24 to 31, which RFC 6184 §5.2 uses itself.
func (h264Layout) carries(nal []byte) bool {
	if len(nal) == 0 {
		return false
	}
	t := nal[0] & 0x1f
	return t > 0 && t < h264STAPA
}

// putAggregate sets F if any NAL unit has it and NRI to the highest one
// (RFC 6184 §5.7.1).
func (h264Layout) putAggregate(dst []byte, nals [][]byte) {
	var f, nri byte
	for _, nal := range nals {
		f |= nal[0] & 0x80
		nri = max(nri, nal[0]&0x60)
	}
	dst[0] = f | nri | h264STAPA
}

// putFragment writes the FU indicator and the FU header (RFC 6184 §5.8).
func (h264Layout) putFragment(dst, nal []byte, first, last bool) {
	dst[0] = nal[0]&0xe0 | h264FUA
	dst[1] = nal[0]&0x1f | fragmentFlags(first, last)
}

// fragmentFlags returns the S and E bits, which both formats put at the same
// place.
func fragmentFlags(first, last bool) (b byte) {
	if first {
		b |= 0x80
	}
	if last {
		b |= 0x40
	}
	return b
}
