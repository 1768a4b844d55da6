package encoder

import "log/slog"

// Settings says what pictures come and what video is to be made of them.
type Settings struct {
	// FourCC is the pictures' format by the kernel's four letters, one that Accepts
	// accepts.
	FourCC string
	// Width and Height are the pictures' size in pixels. The video is cropped to an
	// even size.
	Width, Height int
	// Stride is the number of bytes from one line of the first plane to the next; the
	// other planes' follow from it as the kernel's documentation says. 0: no gap
	// between lines. It has no meaning for JPEG.
	Stride int
	// Rate is how many pictures a second come.
	Rate float64
	// Bitrate is how many bits a second the video is to take.
	Bitrate int
	// KeyInterval is the number of pictures from one key frame to the next.
	KeyInterval int
	// Logger takes one line whenever the encoder has to be made faster because this
	// computer cannot keep up. Default: none.
	Logger *slog.Logger
}
