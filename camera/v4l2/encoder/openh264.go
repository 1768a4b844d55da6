//go:build device && cgo && openh264

package encoder

import (
	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/codec/openh264"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
)

// Name is the library that encodes.
const Name = "openh264"

// speeds has one element: mediadevices does not let its caller choose.
func speeds() []string { return []string{"camera"} }

func openLibrary(source video.Reader, s Settings, _ int) (codec.ReadCloser, error) {
	params, err := openh264.NewParams()
	if err != nil {
		return nil, err
	}
	params.BitRate = s.Bitrate
	params.IntraPeriod = uint(s.KeyInterval)
	params.UsageType = openh264.CameraVideoRealTime
	params.RCMode = openh264.RCBitrateMode
	params.EnableFrameSkip = false // a unit for each picture
	params.SliceMode = openh264.SMSingleSlice
	params.MultipleThreadIdc = 1
	return params.BuildVideoEncoder(source, prop.Media{Video: prop.Video{
		Width: s.Width &^ 1, Height: s.Height &^ 1, FrameRate: float32(s.Rate),
	}})
}
