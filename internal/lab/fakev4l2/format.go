package fakev4l2

import (
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Format is a format of a device.
type Format struct {
	FourCC      uapi.FourCC
	Description string // default the FourCC
	Compressed  bool
	Emulated    bool
	Planes      uint32 // of multi-planar devices; default 1
	Padding     uint32 // bytes behind every line of raw pictures
	Sizes       []Size
}

// Size is a size, or a range of them, with its frame intervals.
type Size struct {
	uapi.FrameSize
	Intervals []uapi.FrameInterval
}

// Discrete is one size with rates in pictures a second.
func Discrete(width, height uint32, rates ...uint32) Size {
	s := Size{FrameSize: uapi.FrameSize{
		Width:  uapi.Range{Min: width, Max: width},
		Height: uapi.Range{Min: height, Max: height},
	}}
	for _, r := range rates {
		f := uapi.Fraction{Numerator: 1, Denominator: r}
		s.Intervals = append(s.Intervals, uapi.FrameInterval{Min: f, Max: f})
	}
	return s
}

// discrete says whether the size is one.
func (s *Size) discrete() bool { return s.Width.Min == s.Width.Max && s.Height.Min == s.Height.Max }

// layout is the bytes of a line (of the first part, 0 where compressed) and of a picture.
func (f *Format) layout(width, height uint32) (line, image uint32) {
	if f.Compressed {
		return 0, max(width*height*2, 4096)
	}
	switch f.FourCC {
	case uapi.NV12, uapi.NV21, uapi.YU12, uapi.YV12, uapi.NM12, uapi.NM21, uapi.YM12, uapi.YM21:
		line = width + f.Padding
		return line, line * height * 3 / 2
	case uapi.NV16, uapi.NV61, uapi.P422:
		line = width + f.Padding
		return line, line * height * 2
	case uapi.GREY:
		line = width + f.Padding
	case uapi.RGB3, uapi.BGR3:
		line = width*3 + f.Padding
	case uapi.XR24, uapi.AR24, uapi.RGB4, uapi.BGR4:
		line = width*4 + f.Padding
	default:
		line = width*2 + f.Padding
	}
	return line, line * height
}

// nearest is the size of the format that is nearest to one asked for, and where it is in
// Sizes (-1: there are none, anything goes).
func (f *Format) nearest(width, height uint32) (w, h uint32, index int) {
	w, h, index = max(width, 16), max(height, 16), -1
	best := uint64(1) << 63
	for i := range f.Sizes {
		sw, sh := within(f.Sizes[i].Width, width), within(f.Sizes[i].Height, height)
		if d := distance(sw, width) + distance(sh, height); d < best {
			w, h, index, best = sw, sh, i, d
		}
	}
	return w, h, index
}

// within is the value of a range that is nearest to one from below.
func within(r uapi.Range, value uint32) uint32 {
	value = min(max(value, r.Min), r.Max)
	return value - (value-r.Min)%max(r.Step, 1)
}

func distance(a, b uint32) uint64 { return uint64(max(a, b) - min(a, b)) }

// interval is the frame interval of the size that is nearest to one asked for.
func (f *Format) interval(size int, want uapi.Fraction) uapi.Fraction {
	if size < 0 || len(f.Sizes[size].Intervals) == 0 {
		if want.Rate() == 0 {
			return uapi.Fraction{Numerator: 1, Denominator: 30}
		}
		return want
	}
	intervals := f.Sizes[size].Intervals
	if want.Rate() == 0 {
		return intervals[0].Min
	}
	var best uapi.Fraction
	away := -1.0
	for _, v := range intervals {
		got := want
		if got.Less(v.Min) {
			got = v.Min
		}
		if v.Max.Less(got) {
			got = v.Max
		}
		d := got.Rate() - want.Rate()
		if d < 0 {
			d = -d
		}
		if away < 0 || d < away {
			best, away = got, d
		}
	}
	return best
}
