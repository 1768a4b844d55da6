package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestAddress_NamesADeviceOfThisMachine(t *testing.T) {
	for text, want := range map[string]string{
		"/dev/video0":                           "/dev/video0",
		" /dev/video0 ":                         "/dev/video0",
		"//dev/./video0/":                       "/dev/video0",
		"/dev/v4l/by-id/usb-046d_C920-index0":   "/dev/v4l/by-id/usb-046d_C920-index0",
		"v4l2:/dev/video0":                      "/dev/video0",
		"v4l2:///dev/video0":                    "/dev/video0",
		"V4L2:/dev/video0":                      "/dev/video0",
		"v4l2:HD Webcam":                        "v4l2:HD Webcam",
		"v4l2: HD  Webcam":                      "v4l2:HD  Webcam",
		"v4l2:Integrated Camera: Integrated C":  "v4l2:Integrated Camera: Integrated C",
		"v4l2:usb-046d_HD_Webcam-video-index0":  "v4l2:usb-046d_HD_Webcam-video-index0",
		"v4l2:Webcam@rtsp://h?password=hunter2": "v4l2:Webcam@rtsp://h?password=hunter2",
	} {
		a, err := ParseAddress(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		marshalled, err := a.MarshalText()
		printed := fmt.Sprintf("%s %v %#v %s", a, a, a, marshalled)
		if want4 := strings.TrimSpace(strings.Repeat(want+" ", 4)); err != nil || a.Target() != want || printed != want4 {
			t.Errorf("%q: target %q, printed %q, %v", text, a.Target(), printed, err)
		}
		if !a.IsDevice() || a.IsZero() || a.Scheme() != "v4l2" || a.Host() != "" || a.Username() != "" || !a.Password().IsZero() {
			t.Errorf("%q: %+v", text, a)
		}
	}
	if u := mustAddress(t, "rtsp://h/dev/video0"); u.IsDevice() || u.Scheme() != "rtsp" {
		t.Error("a camera in the network was taken for one of this machine")
	}
}

func TestAddress_SaysHowADeviceIsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"video0":              "write /dev/video0 ",
		"dev/video12":         "write /dev/video12 ",
		"./dev/video0":        "write /dev/video0 ",
		"v4l/by-path/pci-1":   "write /dev/v4l/by-path/pci-1 ",
		"v4l2:video0":         "write /dev/video0",
		"v4l2:dev/video0":     "write /dev/video0",
		"v4l2:":               "v4l2:NAME",
		"v4l2: ":              "v4l2:NAME",
		"v4l2:a\x1b[2Jb":      "--list",
		"v4l2:\xff":           "--list",
		"/dev/video0\x00":     "--list",
		"webcam":              "/dev/video0",
		"":                    "/dev/video0",
		"http://192.0.2.7/":   "/dev/video0",
		"file:///dev/video0":  "/dev/video0",
		"v4l2:" + long(2048):  "2048 bytes",
		"/dev/" + long(2048):  "2048 bytes",
		"videos/film.mp4":     "/dev/video0",
		"dev/video0/../../x":  "/dev/video0",
		"../v4l2loopback/dev": "/dev/video0",
	} {
		if a, err := ParseAddress(text); err == nil || !strings.Contains(err.Error()+" ", want) {
			t.Errorf("%.30q: %v, %v; want %q", text, a, err, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }
