package encoder

import "fmt"

// newRawPacker returns what packs pictures of those settings, which have been checked.
// The layouts are those of "Video for Linux API", Image Formats.
func newRawPacker(s Settings) (packer, error) {
	bytesPerPixel, pairs := 1, 0 // pairs: pixels come in twos
	switch s.FourCC {
	case "YUYV", "YVYU", "UYVY", "VYUY":
		bytesPerPixel, pairs = 2, 1
	case "RGB3", "BGR3":
		bytesPerPixel = 3
	}
	tight := (s.Width + s.Width&pairs) * bytesPerPixel
	stride := s.Stride
	if stride == 0 {
		stride = tight
	}
	if stride < tight || stride > maxStride {
		return nil, fmt.Errorf("%w pictures of %dx%d in %s with lines of %d bytes; they have at least %d; choose another format or size",
			errSettings, s.Width, s.Height, s.FourCC, stride, tight)
	}
	switch s.FourCC {
	case "YUYV", "YVYU", "UYVY", "VYUY":
		return newPacked(s.FourCC, stride), nil
	case "NV12", "NV21":
		return semiPlanar{stride: stride, height: s.Height, crFirst: s.FourCC == "NV21"}, nil
	case "YU12", "YV12":
		return planar{stride: stride, height: s.Height, crFirst: s.FourCC == "YV12"}, nil
	case "GREY":
		return grey{stride: stride}, nil
	case "RGB3", "BGR3":
		return rgb{stride: stride, blueFirst: s.FourCC == "BGR3"}, nil
	}
	return nil, fmt.Errorf("%w pictures of the format %q", errSettings, s.FourCC)
}

// need returns an error if a picture is shorter than it must be.
func need(picture []byte, n int) error {
	if len(picture) < n {
		return fmt.Errorf("%w: it has %d bytes instead of %d", ErrPicture, len(picture), n)
	}
	return nil
}

// lines is a plane of a picture: lines that begin stride bytes apart. The end of the
// last one need not be there.
type lines struct {
	bytes  []byte
	stride int
}

// line returns the first n bytes of line i.
func (l lines) line(i, n int) []byte { return l.bytes[i*l.stride:][:n] }

// extent returns how many bytes a plane takes of which count lines of n bytes are read.
func extent(stride, count, n int) int { return (count-1)*stride + n }
