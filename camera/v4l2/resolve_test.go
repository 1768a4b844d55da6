package v4l2

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// office is four cameras, two of them of one model, and a node that is none.
func office(t *testing.T) placed {
	t.Helper()
	k := fakev4l2.New()
	notCameras(k)
	plug(k, "/dev/video0", "HD Webcam", "usb-1")
	plug(k, "/dev/video2", "HD Pro Webcam C920", "usb-2")
	plug(k, "/dev/video4", "HD Pro Webcam C920", "usb-3")
	plug(k, "/dev/video6", "HD Webcam 2: Yard", "usb-4")
	plug(k, "/dev/video8", "Closed", "usb-5").FailOpen(syscall.EACCES)
	there := map[string]string{
		"dev/v4l/by-id/usb-Webcam_0A":           "-> ../../video0",
		"dev/v4l/by-id/usb-C920-video-index0":   "-> ../../video4",
		"dev/v4l/by-path/pci-usb-2":             "-> ../../video2",
		"dev/v4l/by-path/pci-usb-3":             "-> ../../video4",
		"dev/v4l/by-id/usb-meta":                "-> ../../video1",
		"sys/class/video4linux/video8/name":     "Closed Camera\n",
		"sys/class/video4linux/video8/dev":      "81:8\n",
		"run/udev/data/c81:8":                   "E:ID_V4L_CAPABILITIES=:capture:\n",
		"sys/class/video4linux/video4/unneeded": "",
	}
	for _, path := range k.Paths() {
		there[path] = ""
	}
	return placed{k, machineWith(t, there)}
}

func TestResolve(t *testing.T) {
	k := office(t)
	for address, want := range map[string]string{
		"/dev/video0":                     "/dev/video0",
		"/dev/video77":                    "/dev/video77", // whether it is there is seen when it is opened
		"/tmp/link to a camera":           "/tmp/link to a camera",
		"v4l2:/dev/video2":                "/dev/video2",
		"v4l2:/dev/v4l/by-path/pci-usb-2": "/dev/v4l/by-path/pci-usb-2",
		"v4l2:HD Webcam":                  "/dev/video0", // exactly, though others begin so
		"v4l2:hd webcam":                  "/dev/video0",
		"v4l2:yard":                       "/dev/video6",
		"v4l2:usb-C920-video-index0":      "/dev/video4",
		"v4l2:USB-c920-VIDEO-index0":      "/dev/video4",
		"v4l2:pci-usb-2":                  "/dev/video2",
		"v4l2:0A":                         "/dev/video0",
		"v4l2:Closed":                     "/dev/video8", // to be told why when it is opened
	} {
		got, err := resolve(k, address)
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", address, got, err, want)
		}
	}
}

func TestResolve_ErrorsListWhatThereIs(t *testing.T) {
	const all = "there are /dev/video0 (HD Webcam), /dev/video2 (HD Pro Webcam C920), /dev/video4 (HD Pro Webcam C920), " +
		"/dev/video6 (HD Webcam 2: Yard) and /dev/video8 (Closed Camera); run `sightline camera --list`"
	k := office(t)
	for address, want := range map[string]*Error{
		"v4l2:C270":     errorf(NotThere, `there is no camera "C270"; %s`, all),
		"v4l2:usb-meta": errorf(NotThere, `there is no camera "usb-meta"; %s`, all),
		"v4l2:":         errorf(NotThere, "the address v4l2: names no camera; %s", all),
		"":              errorf(NotThere, "the address  names no camera; %s", all),
		"v4l2:HD Pro Webcam C920": errorf(Ambiguous, `several cameras are called "HD Pro Webcam C920"; give one by a path that stays its own: `+
			"/dev/v4l/by-path/pci-usb-2 (now /dev/video2) or /dev/v4l/by-path/pci-usb-3 (now /dev/video4)"),
		"v4l2:webcam": errorf(Ambiguous, `several cameras are called "webcam"; give one by a path that stays its own: `+
			"/dev/v4l/by-id/usb-Webcam_0A (now /dev/video0), /dev/v4l/by-path/pci-usb-2 (now /dev/video2), "+
			"/dev/v4l/by-path/pci-usb-3 (now /dev/video4) or /dev/video6 (HD Webcam 2: Yard)"),
	} {
		path, err := resolve(k, address)
		var e *Error
		if !errors.As(err, &e) || e.Reason != want.Reason || e.Error() != want.Error() || path != "" {
			t.Errorf("%s is %q:\n%v\nwant\n%v", address, path, err, want)
		}
	}
}

func TestResolve_FewAndManyCameras(t *testing.T) {
	k := fakev4l2.New()
	text := func() string {
		_, err := resolve(k, "v4l2:none of these")
		return err.Error()
	}
	if got := text(); got != `there is no camera "none of these"; no camera is plugged in` {
		t.Error(got)
	}
	plug(k, "/dev/video0", "HD Webcam", "usb-1")
	if got := text(); got != "there is no camera \"none of these\"; there is /dev/video0 (HD Webcam); run `sightline camera --list`" {
		t.Error(got)
	}
	for _, path := range strings.Fields("/dev/video1 /dev/video2 /dev/video3 /dev/video4 /dev/video5 /dev/video6 /dev/video7 /dev/video8 /dev/video9") {
		plug(k, path, "X", "usb-"+path)
	}
	if got := text(); !strings.Contains(got, "/dev/video7 (X) and 2 more;") {
		t.Error(got)
	}
}
