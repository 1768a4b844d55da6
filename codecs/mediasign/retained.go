package mediasign

// retained remembers hashes of pictures that were judged, to recognize them when
// they come again. The oldest are forgotten.
type retained struct {
	limit int
	has   map[[hashSize]byte]bool
	order [][hashSize]byte
}

func newRetained(limit int) retained {
	return retained{limit: limit, has: map[[hashSize]byte]bool{}}
}

func (r *retained) put(hashes [][hashSize]byte) {
	for _, h := range hashes {
		if r.has[h] {
			continue
		}
		r.has[h] = true
		r.order = append(r.order, h)
	}
	if n := len(r.order) - r.limit; n > r.limit/4 { // seldom: it copies
		for _, h := range r.order[:n] {
			delete(r.has, h)
		}
		r.order = append(r.order[:0:0], r.order[n:]...)
	}
}
