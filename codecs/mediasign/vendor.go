package mediasign

import (
	"strconv"
	"strings"
	"time"
)

// Vendor is what a signed message says of the device (Media Signing, ONVIF vendor
// info). Each text has at most 255 bytes.
type Vendor struct {
	Firmware     string
	Serial       string
	Manufacturer string
}

// Our signer adds these to the firmware's text, beside the digests (side.go).
const (
	cameraLabel = "camera="
	stepLabel   = "step="
	// maxCamera is the longest name of a camera, in bytes.
	maxCamera = 100
)

// Camera returns what our signer calls the camera and its rendition; empty if it
// says nothing.
func (v Vendor) Camera() string { return v.label(cameraLabel) }

// LongestStep returns the longest time between two pictures of what the document
// signs; 0 if it says nothing.
func (v Vendor) LongestStep() time.Duration {
	ms, err := strconv.ParseUint(v.label(stepLabel), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

func (v Vendor) label(name string) string {
	if v.Manufacturer != manufacturer {
		return ""
	}
	for _, f := range strings.Fields(v.Firmware) {
		if value, ok := strings.CutPrefix(f, name); ok {
			return value
		}
	}
	return ""
}

// word is a text as one word of at most n bytes.
func word(s string, n int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "_")), "_")
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}
