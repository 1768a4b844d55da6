package fakev4l2

import (
	"slices"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// Device is what a node is.
type Device struct {
	Driver  string // default "fake"
	Card    string // default "Fake Camera"
	BusInfo string // default "usb-fake-1"
	Version uint32 // default 6.1.0
	// Caps is what the node can do, abi.Cap…; default capture by streaming, multi-planar
	// with MPlane.
	Caps uint32
	// MPlane makes the queue multi-planar.
	MPlane bool
	// Formats are what it delivers; the first, with its first size and interval, is set
	// when it is plugged in.
	Formats []Format
	// Controls are what can be set. Of their flags read-only, write-only, grabbed and
	// disabled count.
	Controls []uapi.Control
	// Buffers is how many buffers the driver grants at most; default 32.
	Buffers int
	// OldControls makes the driver know VIDIOC_QUERYCTRL, G_CTRL and S_CTRL alone.
	OldControls bool
	// NoInterval makes the driver have no frame rate to set.
	NoInterval bool
	// OnSet, if not nil, is called after a control was set, on the goroutine that set it,
	// which waits. It may call the node's methods.
	OnSet func(Set)
}

// withDefaults fills in what is not set, and sorts the controls as drivers do.
func (d Device) withDefaults() Device {
	defaults := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	defaults(&d.Driver, "fake")
	defaults(&d.Card, "Fake Camera")
	defaults(&d.BusInfo, "usb-fake-1")
	if d.Version == 0 {
		d.Version = 6<<16 | 1<<8
	}
	if d.Caps == 0 {
		d.Caps = abi.CapVideoCapture | abi.CapStreaming | abi.CapExtPixFormat
		if d.MPlane {
			d.Caps = abi.CapVideoCaptureMPlane | abi.CapStreaming | abi.CapExtPixFormat
		}
	}
	if d.Buffers == 0 {
		d.Buffers = abi.MaxFrame
	}
	d.Controls = slices.Clone(d.Controls)
	slices.SortFunc(d.Controls, func(a, b uapi.Control) int { return int(int64(a.ID) - int64(b.ID)) })
	return d
}

// bufType is the type of the device's queue.
func (d *Device) bufType() uint32 {
	if d.MPlane {
		return abi.BufTypeVideoCaptureMPlane
	}
	return abi.BufTypeVideoCapture
}

// Set is a control that was set, or a button that was pressed.
type Set struct {
	ID    uint32
	Value int64 // what the driver made of it; of a button what was given
}
