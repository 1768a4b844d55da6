package mediasign

import "bytes"

// escaper writes a NAL unit and puts in emulation prevention bytes (ITU-T H.264
// §7.4.1, H.265 §7.4.2).
type escaper struct {
	out   []byte
	zeros int // zero bytes at the end of out, at most 2
}

func (e *escaper) write(data []byte) {
	for _, b := range data {
		if e.zeros == 2 && b <= 3 {
			e.out = append(e.out, 3)
			e.zeros = 0
		}
		e.out = append(e.out, b)
		if b == 0 {
			e.zeros++
		} else {
			e.zeros = 0
		}
	}
}

// unescape takes the emulation prevention bytes out of a NAL unit. removed lists
// where in raw they were.
func unescape(raw []byte) (plain []byte, removed []int) {
	from := 0
	for at := 2; at < len(raw); {
		n := bytes.IndexByte(raw[at:], 3)
		if n < 0 {
			break
		}
		at += n
		if at-from >= 2 && raw[at-1] == 0 && raw[at-2] == 0 {
			plain, removed = append(plain, raw[from:at]...), append(removed, at)
			from = at + 1
			at += 2 // two zeros have to come before the next
		}
		at++
	}
	if removed == nil {
		return raw, nil
	}
	return append(plain, raw[from:]...), removed
}

// escapedEnd returns the length of what in the raw NAL unit holds the first n
// bytes of the unescaped one, without an emulation prevention byte after them.
func escapedEnd(n int, removed []int) int {
	for _, at := range removed {
		if at >= n {
			break
		}
		n++
	}
	return n
}
