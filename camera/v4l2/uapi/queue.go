package uapi

import "github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"

// queue is the buffers a device captures into.
type queue struct {
	kind      BufType
	mapped    [][]byte // by index; nil: no buffers
	queued    []bool   // by index: the driver has it
	streaming bool

	// What requests about buffers point to; kept so that a frame allocates nothing.
	buffer abi.Buffer
	planes [abi.MaxPlanes]abi.Plane
}
