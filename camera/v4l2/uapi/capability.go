package uapi

import "github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"

// Capability is what a device is (VIDIOC_QUERYCAP).
type Capability struct {
	Driver  string // "uvcvideo"
	Card    string // "HD Webcam C270: HD Webcam C270"
	BusInfo string // "usb-0000:00:14.0-2"
	Version uint32 // of the kernel or driver, 0x060100 for 6.1.0
	Caps    uint32 // abi.Cap…: of this node where the driver tells, else of the whole device
}

// Capture says whether pictures can be captured from the node by streaming I/O, and by
// which queue: false for output, memory-to-memory, metadata, radio and VBI nodes. A
// loopback device that announces capture and output on one node is a capture device.
func (c Capability) Capture() (BufType, bool) {
	switch {
	case c.Caps&abi.CapStreaming == 0 || c.Caps&(abi.CapVideoM2M|abi.CapVideoM2MMPlane) != 0:
		return 0, false
	case c.Caps&abi.CapVideoCapture != 0:
		return Capture, true
	case c.Caps&abi.CapVideoCaptureMPlane != 0:
		return CaptureMPlane, true
	}
	return 0, false
}
