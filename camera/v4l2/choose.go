package v4l2

import (
	"math"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// class is formats among which a mode is chosen alike.
type class struct {
	use     Use
	formats []uapi.FourCC // nil: all of that use
	// blocks is the largest picture to be taken if there is a choice, in macroblocks of
	// 16 x 16 pixels: those tell portrait from landscape and 1088 lines from 1080 no
	// more than a decoder does (H.264 Annex A).
	blocks uint64
	floor  float64 // pictures a second that are better than a larger picture
}

const (
	blocks1080p = 120 * 68
	blocks720p  = 80 * 45
	// usualRate is how many pictures a second are enough, and what is tried where the
	// driver does not say what it can.
	usualRate = 30
)

// classes are in the order of preference: H.264 that the device makes costs nothing and
// plays everywhere; H.265 costs nothing either, but few browsers play it by WebRTC.
func classes(canEncode bool) []class {
	all := []class{{use: PassThrough, formats: []uapi.FourCC{uapi.H264, uapi.H264NoSC}, blocks: blocks1080p, floor: 15}}
	if canEncode {
		all = append(all, encodeClass())
	}
	return append(all, class{use: PassThrough, formats: []uapi.FourCC{uapi.HEVC}, blocks: blocks1080p, floor: 15})
}

// encodeClass holds what this machine has to encode, so that one core can.
func encodeClass() class { return class{use: Encode, blocks: blocks720p, floor: 20} }

// Choose returns the mode to run a device in: the best for live video of those that are
// as wanted. The size and the format are exactly as wanted or it is an error; of the
// rate the nearest is taken. canEncode says that this binary has an encoder. The error
// is an *Error, NoFormat or NoEncoder, that says what the device can.
func Choose(d Device, w Want, canEncode bool) (Mode, error) {
	for _, c := range classes(canEncode) {
		if m, ok := c.best(d, w); ok {
			return m, nil
		}
	}
	return Mode{}, noMode(d, w, canEncode)
}

// best returns the best mode of the class.
func (c class) best(d Device, w Want) (Mode, bool) {
	var best candidate
	found := false
	for _, f := range d.Formats {
		if f.Use != c.use || w.Format != 0 && w.Format != f.FourCC || !c.has(f.FourCC) {
			continue
		}
		for _, s := range f.wanted(w) {
			for _, rate := range s.ratesOr(w.Rate) {
				m := Mode{FourCC: f.FourCC, Width: s.Width.Min, Height: s.Height.Min, Interval: intervalOf(rate), Use: f.Use}
				if next := c.rate(m, rate, w); !found || next.before(best) {
					best, found = next, true
				}
			}
		}
	}
	return best.mode, found
}

func (c class) has(f uapi.FourCC) bool {
	if c.formats == nil {
		return true
	}
	for _, g := range c.formats {
		if f == g {
			return true
		}
	}
	return false
}

// wanted returns the single sizes of the format that are as wanted.
func (f Format) wanted(w Want) []Size {
	var sizes []Size
	for _, s := range f.Sizes {
		switch {
		case s.Discrete():
			if (w.Width == 0 || int64(w.Width) == int64(s.Width.Min)) && (w.Height == 0 || int64(w.Height) == int64(s.Height.Min)) {
				sizes = append(sizes, s)
			}
		case w.Width > 0 && w.Height > 0 && w.Width <= maxSide && w.Height <= maxSide && s.has(uint32(w.Width), uint32(w.Height)):
			within := discrete(uint32(w.Width), uint32(w.Height))
			within.Rates = s.Rates
			sizes = append(sizes, within)
		}
	}
	return sizes
}

// ratesOr returns the rates; where the driver tells none, the one that is wanted.
func (s Size) ratesOr(wanted float64) []float64 {
	switch {
	case len(s.Rates) > 0:
		return s.Rates
	case wanted >= 1 && wanted <= 1000:
		return []float64{wanted}
	default:
		return []float64{usualRate}
	}
}

// candidate is a mode with what speaks for and against it, the weightiest first.
type candidate struct {
	mode    Mode
	against [4]float64 // off the wanted rate, too slow, too large, size
	rate    float64    // distance from the usual rate; more than a thousand above it
	cost    int        // of the format
}

func (c class) rate(m Mode, rate float64, w Want) candidate {
	n := candidate{mode: m, cost: costOf(m.FourCC)}
	if w.Rate > 0 {
		n.against[0] = math.Abs(rate - w.Rate)
	}
	if rate < c.floor {
		n.against[1] = 1
	}
	width, height := uint64(m.Width), uint64(m.Height)
	n.against[3] = -float64(width * height)
	if (width+15)/16*((height+15)/16) > c.blocks {
		n.against[2], n.against[3] = 1, -n.against[3] // of those that are too large, the smallest
	}
	n.rate = usualRate - rate
	if rate > usualRate {
		n.rate = 1000 + rate
	}
	return n
}

// before reports whether n is to be preferred. Of equals the first in the order of the
// driver stays.
func (n candidate) before(o candidate) bool {
	for i := range n.against {
		if n.against[i] != o.against[i] {
			return n.against[i] < o.against[i]
		}
	}
	if n.rate != o.rate {
		return n.rate < o.rate
	}
	return n.cost < o.cost
}

// costOf orders formats of one size and rate by what it takes to encode them: 4:2:0 is
// what an encoder wants, 4:2:2 is thinned out, other pictures are computed, JPEG is
// decoded first. Without colours comes last.
func costOf(f uapi.FourCC) int {
	switch f {
	case uapi.H264, uapi.HEVC, uapi.NV12:
		return 0
	case uapi.YU12, uapi.H264NoSC:
		return 1
	case uapi.YUYV:
		return 2
	case uapi.UYVY:
		return 3
	case uapi.MJPG:
		return 5
	case uapi.JPEG:
		return 6
	case uapi.GREY:
		return 7
	default:
		return 4
	}
}
