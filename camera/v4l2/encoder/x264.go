//go:build device && cgo && !openh264

package encoder

// #cgo pkg-config: --static x264
// #cgo LDFLAGS: -Wl,--wrap=x264_param_apply_profile
// #include "x264_wrap.h"
import "C"

import (
	"math"
	"runtime"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/codec/x264"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
)

// Name is the library that encodes.
const Name = "x264"

// bufferMillis is how much of the bitrate, in time, a key frame may take at most, and
// how long a connection of just that bitrate is behind after it.
const bufferMillis = 600

// speeds lists the presets, the best first.
func speeds() []string { return []string{"veryfast", "superfast", "ultrafast"} }

func openLibrary(source video.Reader, s Settings, speed int) (codec.ReadCloser, error) {
	params, err := x264.NewParams()
	if err != nil {
		return nil, err
	}
	params.Preset = []x264.Preset{x264.PresetVeryfast, x264.PresetSuperfast, x264.PresetUltrafast}[speed]
	params.BitRate = s.Bitrate
	params.KeyFrameInterval = s.KeyInterval

	// What x264_wrap.c adds lies in memory of this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const unit = 1000
	C.sightline_x264_next(C.uint32_t(math.Round(s.Rate*unit)), unit, bufferMillis)
	return params.BuildVideoEncoder(source, prop.Media{Video: prop.Video{Width: s.Width &^ 1, Height: s.Height &^ 1}})
}
