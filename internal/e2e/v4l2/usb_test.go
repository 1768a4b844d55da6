//go:build linux

package v4l2

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// usbCamera is a camera at a virtual USB port, which the kernel's driver for USB
// cameras drives.
type usbCamera struct {
	*camera
	path string
}

// usb plugs a camera in and waits until it is known. It goes with the test.
func (w *world) usb(t *testing.T, format string, args ...string) *usbCamera {
	t.Helper()
	c := &usbCamera{camera: w.startCamera(t, append([]string{"-format", format}, args...)...)}
	c.path = w.awaitUSB(t)
	return c
}

// awaitUSB waits for the node of the only USB camera.
func (w *world) awaitUSB(t *testing.T) string {
	t.Helper()
	const line = `cd /sys/class/video4linux; for i in $(seq 600); do
		for v in video*; do [ "$(cat $v/name) $(cat $v/index)" = "USB camera: USB camera 0" ] && [ -c /dev/$v ] && echo /dev/$v && exit; done
		sleep 0.1
	done`
	path := strings.TrimSpace(w.Sh(t, line))
	if path == "" {
		t.Fatal("the kernel does not come to know the USB camera")
	}
	return path
}

// usbH264 watches a USB camera that encodes by itself, by its name. It is pulled out,
// and put into another port under another number: the session goes on. Then another
// camera of the same model comes in its place, and is not shown for the first.
func usbH264(t *testing.T, w *world) string {
	c := w.usb(t, "H264", "-usb", "0", "-serial", "A1", "-gop", "1s")
	a := w.agent(t, run{program: plain}, "v4l2:USB camera")
	s := a.dial(t)
	seen := watch(t, s)
	flawless(t, seen, "", 0, 3, 640, 360, 0)
	seen.atRate("", 30, 30)

	c.tell("unplug")
	out := time.Now()
	gone := status(t, s, "", "offline", "plug")
	told := time.Since(out)
	w.Sh(t, "while [ -e "+c.path+" ]; do sleep 0.1; done")
	from := seen.count("")
	c.tell("plug 3")
	in := time.Now()
	again := seen.since("", from, 1)[0].came.Sub(in)
	flawless(t, seen, "", from, 1, 640, 360, 0)
	status(t, s, "", "live")
	if n := a.said(gone.Reason); n != 1 {
		t.Errorf("the log says %d times that %s", n, gone.Reason)
	}

	c.tell("unplug")
	status(t, s, "", "offline")
	c.Stop(t)
	w.usb(t, "H264", "-usb", "3", "-serial", "B2")
	from = seen.count("")
	other := status(t, s, "", "offline", "is now")
	if n := seen.count(""); n != from {
		t.Errorf("%d pictures of another camera are shown", n-from)
	}
	return fmt.Sprintf("%q after %v, pictures again %v after it is in another port; %q", gone.Reason,
		told.Round(time.Millisecond), again.Round(time.Millisecond), other.Reason)
}

// usbMJPEG watches a USB camera of JPEGs, as most are, by the link that udev makes.
func usbMJPEG(t *testing.T, w *world) string {
	c := w.usb(t, "MJPG", append([]string{"-usb", "1"}, w.filmOfJPEGs(t)...)...)
	const link = "/dev/v4l/by-id/usb-Sightline_tests_USB_camera_1-video-index0"
	w.Sh(t, "mkdir -p /dev/v4l/by-id && ln -sf ../.."+strings.TrimPrefix(c.path, "/dev")+" "+link)
	t.Cleanup(func() { w.Sh(t, "rm -r /dev/v4l") })
	return w.jpegs(t, "v4l2:"+link)
}
