package v4l2

import (
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Options say which device to watch, and how. Only Address is required.
type Options struct {
	// Address is the device: a path, or "v4l2:" and a path, the name of a card or of
	// a link below /dev/v4l/by-id or /dev/v4l/by-path.
	Address string
	// Want is what the device has to deliver; what is zero is chosen.
	Want Want
	// Bitrate is in bit/s. Default: for video that a device encodes, as the driver
	// has it; for pictures encoded here, by their size.
	Bitrate int
	// KeyInterval is the time between two key frames that nobody asked for. Default
	// 2 s. A device may do as it likes.
	KeyInterval time.Duration
	// Logger receives what is worth knowing and does not end a connection. nil
	// discards it.
	Logger *slog.Logger

	// Kernel is where devices are; nil is the real one.
	Kernel uapi.Kernel

	// newEncoder replaces encoder.New in tests.
	newEncoder func(encoder.Settings) (pictureEncoder, error)
}

func (o Options) withDefaults() Options {
	if o.KeyInterval <= 0 {
		o.KeyInterval = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Kernel == nil {
		o.Kernel = uapi.Linux()
	}
	if o.newEncoder == nil && encoder.Name != "" {
		o.newEncoder = func(s encoder.Settings) (pictureEncoder, error) { return encoder.New(s) }
	}
	return o
}
