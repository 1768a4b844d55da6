package testpattern

import (
	"encoding/binary"
	"math/bits"
)

// bitWriter writes an RBSP (ITU-T H.264 §7.2), most significant bit first.
type bitWriter struct {
	buf     []byte
	acc     uint64 // the pending bits, right-aligned
	pending uint   // their number, below 32 between calls
}

func (w *bitWriter) reset() { w.buf, w.acc, w.pending = w.buf[:0], 0, 0 }

// len returns the number of bits written.
func (w *bitWriter) len() int { return len(w.buf)*8 + int(w.pending) }

// u writes the n low bits of v, n <= 32; the other bits of v are zero.
func (w *bitWriter) u(v uint32, n uint) {
	w.acc = w.acc<<n | uint64(v)
	w.pending += n
	if w.pending >= 32 {
		w.pending -= 32
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(w.acc>>w.pending))
	}
}

func (w *bitWriter) flag(b bool) {
	if b {
		w.u(1, 1)
	} else {
		w.u(0, 1)
	}
}

// ue writes an unsigned Exp-Golomb code (§9.1); v < 2^16.
func (w *bitWriter) ue(v uint32) {
	n := uint(bits.Len32(v + 1))
	w.u(v+1, 2*n-1)
}

// se writes a signed Exp-Golomb code (§9.1.1): 0, 1, -1, 2, -2, …
func (w *bitWriter) se(v int32) {
	if v > 0 {
		w.ue(uint32(2*v - 1))
	} else {
		w.ue(uint32(-2 * v))
	}
}

// trailing ends the RBSP with the stop bit and zeros up to a whole byte.
func (w *bitWriter) trailing() {
	w.u(1, 1)
	if r := w.pending % 8; r != 0 {
		w.u(0, 8-r)
	}
	for w.pending > 0 {
		w.pending -= 8
		w.buf = append(w.buf, byte(w.acc>>w.pending))
	}
}

// nal returns a new NAL unit of the RBSP written so far, with emulation
// prevention bytes (§7.4.1) and without start code. header is its first byte.
func (w *bitWriter) nal(header byte) []byte {
	escapes, zeros := 0, 0
	for _, b := range w.buf {
		if zeros == 2 && b <= 3 {
			escapes++
			zeros = 0
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	out := make([]byte, 1, 1+len(w.buf)+escapes)
	out[0] = header
	if escapes == 0 {
		return append(out, w.buf...)
	}
	zeros = 0
	for _, b := range w.buf {
		if zeros == 2 && b <= 3 {
			out = append(out, 3)
			zeros = 0
		}
		out = append(out, b)
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}
