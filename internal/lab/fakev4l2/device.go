package fakev4l2

import "github.com/sightline-cam/sightline/camera/v4l2/uapi"

// Device is what a node is.
type Device struct {
	Driver  string // default "fake"
	Card    string // default "Fake Camera"
	BusInfo string // default "usb-fake-1"
	Version uint32
	// Caps is the device_caps; default capture (or, with MPlane, multi-planar capture) by streaming.
	Caps     uint32
	MPlane   bool // the queue is multi-planar
	Formats  []Format
	Controls []uapi.Control
	// Buffers is how many buffers the driver grants at most; default 32.
	Buffers int
	// OldControls makes the driver know VIDIOC_QUERYCTRL and VIDIOC_S_CTRL alone.
	OldControls bool
	// NoInterval makes the driver have no frame rate to set.
	NoInterval bool
	// OnSet is called after a control was set, on the goroutine that set it.
	OnSet func(Set)
}

// Format is a format of a device.
type Format struct {
	FourCC      uapi.FourCC
	Description string
	Compressed  bool
	Emulated    bool
	Planes      uint32 // of multi-planar devices; default 1
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

// Set is a control that was set.
type Set struct {
	ID    uint32
	Value int64 // what the driver made of it; of a button what was given
}
