package v4l2

import (
	"math"
	"strconv"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Mode is one way a device can be run.
type Mode struct {
	FourCC        uapi.FourCC
	Width, Height uint32        // pixels
	Interval      uapi.Fraction // seconds from one picture to the next
	Use           Use
}

// Rate returns how many pictures a second come; 0 where that makes no sense.
func (m Mode) Rate() float64 { return rateOf(m.Interval) }

// String returns "H264 1280x720 at 30".
func (m Mode) String() string {
	return m.FourCC.String() + " " + sizeText(m.Width, m.Height) + " at " + rateText(m.Rate())
}

// rateOf returns pictures a second to three decimals, or 0 for an interval that makes
// none: hardly one a quarter of an hour, or more than a thousand a second.
func rateOf(f uapi.Fraction) float64 {
	if f.Numerator == 0 || f.Denominator == 0 {
		return 0
	}
	rate := math.Round(float64(f.Denominator)/float64(f.Numerator)*1000) / 1000
	if rate < 0.001 || rate > 1000 {
		return 0
	}
	return rate
}

// intervalOf returns the interval of a rate that was rounded to three decimals. Video
// knows 29.97 as 30000/1001; a driver takes the nearest that it has.
func intervalOf(rate float64) uapi.Fraction {
	for _, n := range [...]uint32{24, 30, 48, 60, 90, 120} {
		if math.Abs(rate-float64(n)*1000/1001) < 0.0015 {
			return uapi.Fraction{Numerator: 1001, Denominator: n * 1000}
		}
	}
	numerator, denominator := uint32(1000), uint32(math.Round(rate*1000))
	for a, b := numerator, denominator; ; a, b = b, a%b {
		if b == 0 {
			return uapi.Fraction{Numerator: numerator / a, Denominator: denominator / a}
		}
	}
}

func rateText(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }
