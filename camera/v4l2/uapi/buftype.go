package uapi

import "github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"

// BufType is how a device's queue lays pictures out in memory (enum v4l2_buf_type).
type BufType uint32

// The queues pictures are captured by.
const (
	Capture       BufType = abi.BufTypeVideoCapture       // single-planar: a picture is one stretch of memory
	CaptureMPlane BufType = abi.BufTypeVideoCaptureMPlane // multi-planar: as many as the format has planes
)
