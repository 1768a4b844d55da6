package uapi

import "time"

// Fraction is a frame interval in seconds (struct v4l2_fract): 1/30 is 30 pictures a second.
type Fraction struct{ Numerator, Denominator uint32 }

// Rate is the pictures a second, 0 where the fraction is none.
func (f Fraction) Rate() float64 {
	if f.Numerator == 0 {
		return 0
	}
	return float64(f.Denominator) / float64(f.Numerator)
}

// Duration is the interval, rounded down; 0 where the fraction is none.
func (f Fraction) Duration() time.Duration {
	if f.Denominator == 0 {
		return 0
	}
	return time.Duration(uint64(f.Numerator) * uint64(time.Second) / uint64(f.Denominator))
}

// Less says whether f is a shorter interval, that is more pictures a second, than g.
func (f Fraction) Less(g Fraction) bool {
	return uint64(f.Numerator)*uint64(g.Denominator) < uint64(g.Numerator)*uint64(f.Denominator)
}

// valid says whether the fraction is an interval.
func (f Fraction) valid() bool { return f.Numerator != 0 && f.Denominator != 0 }
