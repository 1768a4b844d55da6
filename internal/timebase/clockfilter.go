package timebase

// clockFilter follows the difference between the clock on the wall and elapsed
// time, which changes when that clock is set. A process that is held up between
// reading the one and the other gets a wrong difference now and then: the middle
// one of three is taken.
type clockFilter struct {
	last [3]int64
	n    int
}

func (f *clockFilter) observe(difference int64) {
	f.last[f.n%len(f.last)] = difference
	if f.n == 0 {
		f.last[1], f.last[2] = difference, difference
	}
	f.n++
}

func (f *clockFilter) value() int64 {
	a, b, c := f.last[0], f.last[1], f.last[2]
	return max(min(a, b), min(max(a, b), c))
}
