package abi

// StreamParm is struct v4l2_streamparm of a capture device.
type StreamParm struct {
	Type    uint32
	Capture CaptureParm
	_       [40]uint32 // the union has 200 bytes
}

// CaptureParm is struct v4l2_captureparm.
type CaptureParm struct {
	Capability   uint32
	CaptureMode  uint32
	TimePerFrame Fract
	ExtendedMode uint32
	ReadBuffers  uint32
	_            [4]uint32
}
