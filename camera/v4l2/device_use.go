package v4l2

import (
	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Use is what becomes of a format's pictures.
type Use int

// The uses.
const (
	Unusable    Use = iota // nothing here can carry or encode it
	PassThrough            // video that is passed on as it is
	Encode                 // pictures that are encoded, in a binary that can
)

// String returns "unusable", "pass-through" or "encode".
func (u Use) String() string {
	switch u {
	case PassThrough:
		return "pass-through"
	case Encode:
		return "encode"
	default:
		return "unusable"
	}
}

func useOf(f uapi.FourCC) Use {
	switch {
	case f == uapi.H264 || f == uapi.H264NoSC || f == uapi.HEVC:
		return PassThrough
	case encoder.Accepts(f.String()):
		return Encode
	default:
		return Unusable
	}
}
