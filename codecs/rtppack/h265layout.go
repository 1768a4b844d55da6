package rtppack

// Packet types of RFC 7798 §4.4 that are not NAL unit types.
const (
	h265AP = 48 // §4.4.2
	h265FU = 49 // §4.4.3
)

// h265Layout is the payload format of RFC 7798 with sprop-max-don-diff 0, that
// is, in decoding order and without DONL fields.
type h265Layout struct{}

func (h265Layout) headerSize() int { return 2 }

// carries excludes the types from 48, which RFC 7798 §4.4 uses itself.
func (h265Layout) carries(nal []byte) bool {
	return len(nal) > 2 && nal[0]>>1&0x3f < h265AP
}

// putAggregate sets F if any NAL unit has it, and LayerId and TID to the lowest
// ones (RFC 7798 §4.4.2).
func (h265Layout) putAggregate(dst []byte, nals [][]byte) {
	var f byte
	layer, tid := byte(0x3f), byte(7)
	for _, nal := range nals {
		f |= nal[0] & 0x80
		layer = min(layer, nal[0]&1<<5|nal[1]>>3)
		tid = min(tid, nal[1]&7)
	}
	dst[0] = f | h265AP<<1 | layer>>5
	dst[1] = layer<<3 | tid
}

// putFragment writes the payload header and the FU header (RFC 7798 §4.4.3).
func (h265Layout) putFragment(dst, nal []byte, first, last bool) {
	dst[0] = nal[0]&0x81 | h265FU<<1
	dst[1] = nal[1]
	dst[2] = nal[0]>>1&0x3f | fragmentFlags(first, last)
}
