package testpattern

import (
	"errors"
	"fmt"
	"time"
)

// ErrOptions is wrapped by every error that New returns: the options ask for a
// picture that cannot be made.
var ErrOptions = errors.New("testpattern: unusable options")

// Options says what picture an Encoder makes. The zero value is 1280x720 at 25
// frames a second with a key frame every 2 s, as few bits as it takes.
type Options struct {
	// Width and Height are the picture's size in luma samples: even, from
	// 640x360 to 3840x2160. Default 1280x720; if one is given, so must be the
	// other.
	Width, Height int
	// FPS is the number of frames a second that the stream announces and that
	// GOP and Bitrate are counted by, 1 to 120. Default 25.
	FPS int
	// GOP is the time between key frames, from one frame to an hour. Default
	// 2 s.
	GOP time.Duration
	// Bitrate is the number of bits a second to spend, so that frames have the
	// size of a real camera's: a strip of the picture is filled with texture
	// that changes as much as it takes. 0 means no texture and as few bits as
	// it takes (about 0.6 Mbit/s at 720p25). MaxBitrate bounds it; a bitrate
	// below what the picture takes anyway has no effect.
	Bitrate int
	// Title is shown in large letters, usually the camera's name. Default
	// "Test picture". What does not fit is cut off; letters without a glyph
	// (anything beyond Latin with accents) show as a box.
	Title string
}

// withDefaults returns o with every zero field set, or an error that wraps
// ErrOptions.
func (o Options) withDefaults() (Options, error) {
	if o.Width == 0 && o.Height == 0 {
		o.Width, o.Height = 1280, 720
	}
	if o.FPS == 0 {
		o.FPS = 25
	}
	if o.GOP == 0 {
		o.GOP = 2 * time.Second
	}
	if o.Title == "" {
		o.Title = "Test picture"
	}
	switch {
	case o.Width < 640 || o.Height < 360 || o.Width > 3840 || o.Height > 2160 || o.Width%2 != 0 || o.Height%2 != 0:
		return o, fmt.Errorf("%w: size %dx%d; use an even width and height from 640x360 to 3840x2160", ErrOptions, o.Width, o.Height)
	case o.FPS < 1 || o.FPS > 120:
		return o, fmt.Errorf("%w: %d frames a second; use 1 to 120", ErrOptions, o.FPS)
	case o.GOP < 0 || o.GOP > time.Hour:
		return o, fmt.Errorf("%w: GOP of %v; use up to an hour", ErrOptions, o.GOP)
	case o.Bitrate < 0 || o.Bitrate > MaxBitrate(o.Width, o.Height, o.FPS):
		return o, fmt.Errorf("%w: bitrate %d bit/s; use 0 to %d at %dx%d and %d frames a second",
			ErrOptions, o.Bitrate, MaxBitrate(o.Width, o.Height, o.FPS), o.Width, o.Height, o.FPS)
	}
	if _, ok := levelFor(macroblocks(o.Width)*macroblocks(o.Height), o.FPS); !ok {
		return o, fmt.Errorf("%w: %dx%d at %d frames a second is beyond level 5.1; use a smaller picture or fewer frames",
			ErrOptions, o.Width, o.Height, o.FPS)
	}
	return o, nil
}

// gopFrames returns the number of frames from one key frame to the next.
func (o Options) gopFrames() int {
	n := int((o.GOP*time.Duration(o.FPS) + time.Second/2) / time.Second)
	return max(n, 1)
}

// macroblocks returns how many macroblocks of 16 samples cover n samples.
func macroblocks(n int) int { return (n + 15) / 16 }
