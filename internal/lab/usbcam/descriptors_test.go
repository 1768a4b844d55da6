//go:build linux

package usbcam

import (
	"encoding/binary"
	"testing"
)

// The lengths of descriptors are said three times: in each, for those of an interface,
// and for all. The kernel stops reading where they do not fit.
func TestDescriptors_SayTheirLengths(t *testing.T) {
	for _, format := range []string{"H264", "MJPG"} {
		c := &Camera{o: Options{Name: "Camera", Serial: "1", Format: format, Width: 640, Height: 360, Rate: 30}}
		b := c.configuration()
		if got := int(binary.LittleEndian.Uint16(b[2:])); got != len(b) {
			t.Errorf("%s: the configuration says %d of %d bytes", format, got, len(b))
		}
		endpoints := 0
		for len(b) > 0 {
			if int(b[0]) > len(b) || b[0] < 2 {
				t.Fatalf("%s: a descriptor of %d bytes, and %d are left", format, b[0], len(b))
			}
			if b[1] == typeEndpoint {
				endpoints++
			}
			b = b[b[0]:]
		}
		if endpoints != 1 {
			t.Errorf("%s: %d endpoints", format, endpoints)
		}
		for name, at := range map[string]struct {
			bytes  []byte
			offset int
		}{"control": {c.control(), 5}, "streaming": {c.streaming(), 4}} {
			if got := int(binary.LittleEndian.Uint16(at.bytes[at.offset:])); got != len(at.bytes) {
				t.Errorf("%s: %s says %d of %d bytes", format, name, got, len(at.bytes))
			}
		}
	}
	if c := (&Camera{}); len(c.device()) != int(c.device()[0]) {
		t.Error("the device descriptor has another length than it says")
	}
	// UVC 1.1 table 4-75.
	if c := (&Camera{o: Options{Rate: 30}}); len(c.negotiation()) != 34 {
		t.Errorf("the negotiation has %d bytes", len(c.negotiation()))
	}
}
