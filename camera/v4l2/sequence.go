package v4l2

// sequence watches the numbers that drivers give their frames. Not all of them count:
// some leave 0, some count in steps.
type sequence struct {
	last  uint32
	n     int // frames seen
	gaps  int // frames that did not have the number after the last
	wrong bool
}

// lost takes the number of a frame and returns how many are missing before it.
func (s *sequence) lost(number uint32) uint32 {
	const few, trial, most = 3, 30, 1000
	step := number - s.last
	s.last = number
	s.n++
	if s.n == 1 || s.wrong || step == 1 {
		return 0
	}
	s.gaps++
	if s.wrong = s.n <= trial && s.gaps > s.n/3+1; s.wrong {
		return 0
	}
	if s.n <= few || step == 0 || step > most { // too early to tell, or started over
		return 0
	}
	return step - 1
}
