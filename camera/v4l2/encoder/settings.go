package encoder

import (
	"errors"
	"fmt"
	"log/slog"
)

// Bounds of what can be asked for.
const (
	minSide, maxSide       = 16, 8192 // pixels
	maxStride              = 1 << 16  // bytes
	maxRate                = 1000     // pictures a second
	minBitrate, maxBitrate = 10_000, 200_000_000
	maxKeyInterval         = 1_000_000 // pictures
)

// errSettings is wrapped by New's errors about settings.
var errSettings = errors.New("cannot encode")

// Settings says what pictures come and what video is to be made of them. All but
// Stride and Logger are required.
type Settings struct {
	// FourCC is the pictures' format by the kernel's four letters, one that Accepts
	// accepts.
	FourCC string
	// Width and Height are the pictures' size in pixels, 16 to 8192. The video is
	// cropped to an even size.
	Width, Height int
	// Stride is the number of bytes from one line of the first plane to the next; the
	// other planes' follow from it ("Video for Linux API", Image Formats). 0: no gap
	// between lines. It has no meaning for JPEG.
	Stride int
	// Rate is how many pictures a second come, up to 1000.
	Rate float64
	// Bitrate is how many bits a second the video is to take, 10,000 to 200,000,000.
	Bitrate int
	// KeyInterval is the largest number of pictures from one key frame to the next, up
	// to 1,000,000.
	KeyInterval int
	// Logger takes one line whenever the encoder has to be made faster because this
	// computer cannot keep up. nil discards it.
	Logger *slog.Logger
}

// check returns an error that wraps errSettings if no encoder can be made of s.
func (s Settings) check() error {
	switch {
	case !Accepts(s.FourCC):
		return fmt.Errorf("%w pictures of the format %q; choose another format", errSettings, s.FourCC)
	case s.Width < minSide || s.Height < minSide || s.Width > maxSide || s.Height > maxSide:
		return fmt.Errorf("%w pictures of %dx%d; choose a size from %[4]dx%[4]d to %[5]dx%[5]d", errSettings, s.Width, s.Height, minSide, maxSide)
	case !(s.Rate > 0 && s.Rate <= maxRate): // not a number is neither
		return fmt.Errorf("%w %g pictures a second; choose a rate up to %d", errSettings, s.Rate, maxRate)
	case s.Bitrate < minBitrate || s.Bitrate > maxBitrate:
		return fmt.Errorf("%w to %d bit/s; choose a bitrate from %d to %d", errSettings, s.Bitrate, minBitrate, maxBitrate)
	case s.KeyInterval < 1 || s.KeyInterval > maxKeyInterval:
		return fmt.Errorf("%w with %d pictures from key frame to key frame; choose 1 to %d", errSettings, s.KeyInterval, maxKeyInterval)
	}
	return nil
}
