package v4l2

import (
	"testing"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

func TestInterval_OfARate(t *testing.T) {
	for rate, want := range map[float64]uapi.Fraction{
		30:     {Numerator: 1, Denominator: 30},
		29.97:  {Numerator: 1001, Denominator: 30000},
		59.94:  {Numerator: 1001, Denominator: 60000},
		23.976: {Numerator: 1001, Denominator: 24000},
		7.5:    {Numerator: 2, Denominator: 15},
		0.5:    {Numerator: 2, Denominator: 1},
		0.001:  {Numerator: 1000, Denominator: 1},
		1000:   {Numerator: 1, Denominator: 1000},
	} {
		if got := intervalOf(rate); got != want {
			t.Errorf("%v a second: every %d/%d s, want %d/%d", rate, got.Numerator, got.Denominator, want.Numerator, want.Denominator)
		}
	}
}

func TestRate_OfAnInterval(t *testing.T) {
	for f, want := range map[uapi.Fraction]float64{
		{Numerator: 333333, Denominator: 10000000}: 30, // as UVC has it, in units of 100 ns
		{Numerator: 1001, Denominator: 30000}:      29.97,
		{Numerator: 2, Denominator: 15}:            7.5,
		{}:                                         0,
		{Numerator: 1}:                             0,
		{Denominator: 30}:                          0,
		{Numerator: 1, Denominator: 4294967295}:    0,
		{Numerator: 4294967295, Denominator: 1}:    0,
	} {
		if got := (Mode{Interval: f}).Rate(); got != want {
			t.Errorf("every %d/%d s: %v a second, want %v", f.Numerator, f.Denominator, got, want)
		}
	}
}

// A rate that is set and read back must be shown as the same.
func TestInterval_OfEveryRateIsThatRate(t *testing.T) {
	for thousandths := 1; thousandths <= 1_000_000; thousandths++ {
		rate := float64(thousandths) / 1000
		if got := rateOf(intervalOf(rate)); got-rate > 0.0011 || rate-got > 0.0011 {
			t.Fatalf("%v became %v", rate, got)
		}
	}
}
