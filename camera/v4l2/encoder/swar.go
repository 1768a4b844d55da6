package encoder

import "encoding/binary"

// Eight samples at a time in a 64-bit word; the first is the lowest byte, whatever the
// processor's order.

func load(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }
func store(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
func storeHalf(b []byte, v uint64) {
	binary.LittleEndian.PutUint32(b, uint32(v))
}

const evenBytes = 0x00ff_00ff_00ff_00ff

// even returns bytes 0, 2, 4 and 6 as the lower four bytes.
func even(x uint64) uint64 {
	x &= evenBytes
	x = (x | x>>8) & 0x0000_ffff_0000_ffff
	return (x | x>>16) & 0x0000_0000_ffff_ffff
}

// mean returns the mean of each pair of bytes, halves rounded up.
func mean(a, b uint64) uint64 { return (a | b) - (a^b)&0xfefe_fefe_fefe_fefe>>1 }

func meanByte(a, b byte) byte { return byte((uint(a) + uint(b) + 1) >> 1) }

// A squeeze turns samples of the full range, 0 to 255, into those of video: v becomes
// (v*factor + add) / 256. The result is within 0.7 of the exact one.
type squeeze struct{ factor, add uint64 }

// ITU-T T.871 §7 has the full range, ITU-R BT.601 the other: luma 16 to 235, chroma
// 16 to 240.
func squeezeLuma() squeeze   { return squeeze{220, 16<<8 + 128} }
func squeezeChroma() squeeze { return squeeze{225, 16 << 8} }

func (s squeeze) word(x uint64) uint64 {
	const each = 0x0001_0001_0001_0001
	low := (x&evenBytes*s.factor + s.add*each) >> 8 & evenBytes
	high := (x>>8&evenBytes*s.factor + s.add*each) &^ evenBytes
	return low | high
}

func (s squeeze) byte(v byte) byte { return byte((uint64(v)*s.factor + s.add) >> 8) }

// line squeezes src into dst, which is as long.
func (s squeeze) line(dst, src []byte) {
	for len(dst) >= 8 && len(src) >= 8 {
		store(dst, s.word(load(src)))
		dst, src = dst[8:], src[8:]
	}
	for i := range min(len(dst), len(src)) {
		dst[i] = s.byte(src[i])
	}
}
