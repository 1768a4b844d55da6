package cli

import (
	"fmt"
	"log/slog"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/internal/config"
)

// stream is one of a camera's streams.
type stream struct {
	camera  *config.Camera
	address config.Address
	video   config.Video
}

// mainOf returns the main stream of a camera.
func mainOf(c *config.Camera) stream { return stream{c, c.URL, c.Video} }

// subOf returns the second stream of a camera.
func subOf(c *config.Camera) stream { return stream{c, c.Sub, c.SubVideo} }

// source returns what takes the stream's pictures.
func (s stream) source(log *slog.Logger) (camera.Source, error) {
	if s.address.IsDevice() {
		return s.deviceSource(nil, log)
	}
	src, err := rtsp.New(s.networkOptions(log))
	if err != nil {
		return nil, err
	}
	return src, nil
}

// deviceSource is source for a camera of this machine; a nil kernel is the real one.
func (s stream) deviceSource(k uapi.Kernel, log *slog.Logger) (camera.Source, error) {
	o := v4l2.Options{
		Address: s.address.Target(), Bitrate: int(s.video.Bitrate), KeyInterval: s.video.KeyInterval.Std(), Logger: log, Kernel: k,
		Want: v4l2.Want{Width: s.video.Size.Width, Height: s.video.Size.Height, Rate: float64(s.video.Rate)},
	}
	if f := s.video.Format; f != "" {
		var err error
		if o.Want.Format, err = uapi.ParseFourCC(string(f)); err != nil {
			return nil, fmt.Errorf("the format %w", err)
		}
	}
	src, err := v4l2.New(o)
	if err != nil {
		return nil, err
	}
	return src, nil
}

// networkOptions are what reaches a camera in the network.
func (s stream) networkOptions(log *slog.Logger) rtsp.Options {
	c := s.camera
	return rtsp.Options{
		URL: s.address.Target(), Username: c.Username, Password: c.Password.Reveal(),
		Transport: rtsp.Transport(c.Transport), Fingerprint: c.TLS.Fingerprint, Insecure: c.TLS.Insecure, Logger: log,
	}
}
