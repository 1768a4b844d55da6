package v4l2

import "github.com/sightline-cam/sightline/camera/v4l2/uapi"

// Format is one format a device gives pictures in.
type Format struct {
	FourCC      uapi.FourCC
	Description string // the driver's words
	Use         Use
	// Sizes falls by area. Where a driver names a range instead of sizes, the usual
	// sizes within come first and the range itself last.
	Sizes []Size
}
