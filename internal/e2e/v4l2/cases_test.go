//go:build linux

package v4l2

import (
	"fmt"
	"testing"
)

// TestV4L2 goes through everything that a camera of this machine does, on one machine
// that is booted for it.
func TestV4L2(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *world) string
	}{
		{"the list of cameras", listing},
		{"native H.264, passed on", nativeH264},
		{"native H.264, two viewers", twoViewers},
		{"native H.264 of another size", anotherSize},
		{"native H.265, passed on", nativeH265},
		{"what passing on adds", latency},
		{"USB, native H.264, pulled out", usbH264},
		{"USB, MJPEG", usbMJPEG},
		{"MJPEG", mjpeg},
		{"YUYV", raw("/dev/video0", "YUYV")},
		{"NV12", raw("/dev/video0", "NV12")},
		{"NV12, multi-planar interface", raw("/dev/video1", "NV12")},
		{"several cameras in one agent", several},
		{"recorded", recorded},
		{"unplugged, module removed and back", pluggedOut},
		{"disconnected by its driver", disconnected},
		{"two readers", twoReaders},
		{"no permission", noPermission},
		{"a driver that stalls", stalled},
		{"no encoder", noEncoder},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := c.run(t, w); !t.Failed() {
				report(t, c.name, "%s", found)
			}
		})
	}
}

// report prints a line for a person.
func report(t *testing.T, name, format string, args ...any) {
	fmt.Fprintf(t.Output(), "ok  %-40s %s\n", name, fmt.Sprintf(format, args...))
}
