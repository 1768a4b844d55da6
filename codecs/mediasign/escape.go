package mediasign

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
	zeros := 0
	for i, b := range raw {
		if zeros >= 2 && b == 3 {
			if plain == nil {
				plain = append(make([]byte, 0, len(raw)), raw[:i]...)
			}
			removed = append(removed, i)
			zeros = 0
			continue
		}
		if plain != nil {
			plain = append(plain, b)
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	if plain == nil {
		return raw, nil
	}
	return plain, removed
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
