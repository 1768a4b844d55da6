package v4l2

import "github.com/sightline-cam/sightline/camera/v4l2/uapi"

// Control is something of a device that can be set, and how it is set.
type Control struct {
	uapi.Control
	Value    int64
	HasValue bool // false for buttons, headings and what cannot be read
}
