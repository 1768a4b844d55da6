package v4l2

import (
	"strconv"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Size is a size of a format's pictures in pixels, or a range of sizes.
type Size struct {
	Width, Height uapi.Range
	// Rates is in pictures a second, falling, to three decimals. Where a driver names a
	// range, the usual rates within. Empty where a driver names none: then 30 is tried.
	Rates []float64
}

// Discrete reports whether this is one size and no range.
func (s Size) Discrete() bool {
	return s.Width.Min == s.Width.Max && s.Height.Min == s.Height.Max
}

// String returns "1280x720", or "32x32 to 2592x1944" for a range.
func (s Size) String() string {
	text := sizeText(s.Width.Min, s.Height.Min)
	if !s.Discrete() {
		text += " to " + sizeText(s.Width.Max, s.Height.Max)
	}
	return text
}

// has reports whether the device gives that size.
func (s Size) has(width, height uint32) bool {
	return inRange(s.Width, width) && inRange(s.Height, height)
}

// area is in pixels, of the largest size.
func (s Size) area() uint64 { return uint64(s.Width.Max) * uint64(s.Height.Max) }

func inRange(r uapi.Range, v uint32) bool {
	return v >= r.Min && v <= r.Max && (r.Step <= 1 || (v-r.Min)%r.Step == 0)
}

func discrete(width, height uint32) Size {
	return Size{Width: uapi.Range{Min: width, Max: width}, Height: uapi.Range{Min: height, Max: height}}
}

func sizeText(width, height uint32) string {
	return strconv.FormatUint(uint64(width), 10) + "x" + strconv.FormatUint(uint64(height), 10)
}
