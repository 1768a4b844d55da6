package v4l2

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// placed is a kernel whose devices are the nodes below a folder.
type placed struct {
	uapi.Kernel
	machine machine
}

func (p placed) Root() string { return p.machine.root }

// plug adds a camera of a name.
func plug(k *fakev4l2.Kernel, path, card, bus string) *fakev4l2.Node {
	return k.Add(path, fakev4l2.Device{
		Driver: "uvcvideo", Card: card, BusInfo: bus,
		Formats: []fakev4l2.Format{{FourCC: uapi.H264, Description: "H.264", Compressed: true, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30)}}},
	})
}

// notCameras adds the kinds of nodes that take no pictures.
func notCameras(k *fakev4l2.Kernel) {
	for path, caps := range map[string]uint32{
		"/dev/video1":  abi.CapMetaCapture | abi.CapStreaming,
		"/dev/video3":  abi.CapVideoOutput | abi.CapStreaming,
		"/dev/video11": abi.CapVideoM2MMPlane | abi.CapStreaming,
		"/dev/video12": abi.CapVideoCapture, // by read(2) alone
	} {
		k.Add(path, fakev4l2.Device{Caps: caps})
	}
}

func paths(devices []Device) (p []string) {
	for _, d := range devices {
		p = append(p, d.Path)
	}
	return p
}

func TestList_CamerasAloneByNumber(t *testing.T) {
	k := fakev4l2.New()
	notCameras(k)
	want := []string{"/dev/video0", "/dev/video2", "/dev/video10", "/dev/video100"}
	there := map[string]string{"dev/v4l/x": "", "dev/video": "", "dev/video007": "", "dev/video02": "", "dev/videodev": "", "dev/vbi0": "", "dev/video9999": "", "dev/video5": ""}
	for _, path := range want {
		plug(k, path, "HD Webcam", "usb-1")
	}
	for _, path := range k.Paths() {
		there[path] = ""
	}
	for name, kernel := range map[string]uapi.Kernel{"nodes of a folder": placed{k, machineWith(t, there)}, "nodes of the kernel": k} {
		devices, err := List(kernel)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, paths(devices)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := k.OpenDescriptors(); n > 0 {
		t.Errorf("%d devices left open", n)
	}
}

func TestList_NoCamera(t *testing.T) {
	devices, err := List(placed{fakev4l2.New(), machineWith(t, nil)})
	if err != nil || len(devices) > 0 {
		t.Errorf("got %v, %v", devices, err)
	}
}

func TestList_StableNames(t *testing.T) {
	k := fakev4l2.New()
	plug(k, "/dev/video0", "A", "usb-1")
	plug(k, "/dev/video2", "B", "usb-2")
	devices, err := List(placed{k, machineWith(t, map[string]string{
		"dev/video0": "", "dev/video2": "",
		"dev/v4l/by-path/pci-2":    "-> ../../video2",
		"dev/v4l/by-path/pci-1":    "-> ../../video0",
		"dev/v4l/by-id/usb-B":      "-> /dev/video2",
		"dev/v4l/by-id/usb-gone":   "-> ../../video4",
		"dev/v4l/by-id/usb-no-lnk": "",
	})})
	if err != nil {
		t.Fatal(err)
	}
	got := [][]string{devices[0].Stable, devices[1].Stable}
	want := [][]string{{"/dev/v4l/by-path/pci-1"}, {"/dev/v4l/by-id/usb-B", "/dev/v4l/by-path/pci-2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whoever may not open a node is to be told so, and not be shown the nodes that are no
// cameras for that.
func TestList_NodesThatCannotBeOpened(t *testing.T) {
	k := fakev4l2.New()
	there := map[string]string{}
	node := func(name string, files map[string]string) {
		n := plug(k, "/dev/"+name, "what cannot be known", "usb-1")
		n.FailOpen(syscall.EACCES)
		there["dev/"+name] = ""
		for file, content := range files {
			there[strings.ReplaceAll(file, "*", name)] = content
		}
	}
	const class = "sys/class/video4linux/*/"
	const uvc = "-> /sys/bus/usb/drivers/uvcvideo"
	node("video0", map[string]string{class + "name": "HD Webcam\n", class + "dev": "81:0\n", "run/udev/data/c81:0": "E:ID_V4L_PRODUCT=x\nE:ID_V4L_CAPABILITIES=:capture:\n"})
	node("video1", map[string]string{class + "name": "HD Webcam\n", class + "dev": "81:1\n", "run/udev/data/c81:1": "E:ID_V4L_VERSION=2\nE:ID_V4L_CAPABILITIES=:\n"})
	node("video2", map[string]string{class + "name": "Loopback\x1b[2J", class + "dev": "81:2\n", "run/udev/data/c81:2": "E:ID_V4L_CAPABILITIES=:capture:video_output:\n"})
	node("video3", map[string]string{class + "name": "Encoder", class + "dev": "81:3\n", "run/udev/data/c81:3": "E:ID_V4L_CAPABILITIES=:video_output:\n"})
	// Without udev.
	node("video4", map[string]string{class + "name": "USB\n", class + "index": "0\n", class + "device/driver": uvc})
	node("video5", map[string]string{class + "name": "USB\n", class + "index": "1\n", class + "device/driver": uvc})
	node("video6", map[string]string{class + "name": "second sensor\n", class + "index": "1\n", class + "device/driver": "-> /sys/bus/platform/drivers/isp"})
	node("video7", nil)
	node("video8", map[string]string{class + "dev": "../../../etc/passwd"})

	devices, err := List(placed{k, machineWith(t, there)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range devices {
		got = append(got, d.name())
		if !strings.Contains(d.Problem, d.Path) || !strings.Contains(d.Problem, "video") {
			t.Errorf("%s: %s", d.Path, d.Problem)
		}
	}
	want := []string{"/dev/video0 (HD Webcam)", "/dev/video2 (Loopback?[2J)", "/dev/video4 (USB)", "/dev/video6 (second sensor)", "/dev/video7", "/dev/video8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestList_ProblemsAreSentences(t *testing.T) {
	for _, c := range []struct {
		errno error
		want  string
	}{
		{syscall.EACCES, "sudo usermod -aG video"},
		{syscall.EBUSY, "in use by"},
		{syscall.EIO, "unplug the camera and plug it in again"},
		{syscall.ENOENT, ""}, // gone meanwhile
		{syscall.ENXIO, ""},  // of a /dev that is not the kernel's
		{syscall.EMFILE, "raise the limit of open files"},
	} {
		k := fakev4l2.New()
		plug(k, "/dev/video77", "HD Webcam", "usb-1").FailOpen(c.errno)
		devices, err := List(k)
		switch {
		case err != nil:
			t.Error(err)
		case c.want == "" && len(devices) > 0:
			t.Errorf("%v: listed with %q", c.errno, devices[0].Problem)
		case c.want != "" && (len(devices) != 1 || !strings.Contains(devices[0].Problem, c.want)):
			t.Errorf("%v: %+v, want a problem with %q", c.errno, devices, c.want)
		}
	}
}

// One camera that cannot be asked must not hide the others.
func TestList_OthersAreListedBesideOneThatFails(t *testing.T) {
	k := fakev4l2.New()
	plug(k, "/dev/video0", "broken", "usb-1").Fail(abi.EnumFmt, syscall.EIO)
	plug(k, "/dev/video2", "fine", "usb-2")
	gone := plug(k, "/dev/video4", "gone", "usb-3")
	gone.Intercept(func(request uint32, _ unsafe.Pointer, err error) error {
		if request == abi.EnumFrameSizes {
			gone.Unplug()
			return syscall.ENODEV
		}
		return err
	})
	devices, err := List(k)
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(devices); !slices.Equal(got, []string{"/dev/video0", "/dev/video2"}) {
		t.Fatalf("listed %v", got)
	}
	if d := devices[0]; d.Card != "broken" || d.Problem == "" {
		t.Errorf("the broken one is %+v", d)
	}
	if d := devices[1]; len(d.Formats) != 1 || d.Problem != "" {
		t.Errorf("the other one is %+v", d)
	}
}

func TestDescribe_Errors(t *testing.T) {
	k := fakev4l2.New()
	notCameras(k)
	n := plug(k, "/dev/video0", "HD Webcam", "usb-1")
	describe := func(path string) *Error {
		t.Helper()
		h, err := uapi.Open(k, path)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		_, err = Describe(h, path)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("got %v", err)
		}
		return e
	}
	for _, path := range []string{"/dev/video1", "/dev/video3", "/dev/video11", "/dev/video12"} {
		if e := describe(path); e.Reason != NotCapture || !strings.Contains(e.Error(), "sightline camera --list") {
			t.Errorf("%s: %s: %v", path, e.Reason, e)
		}
	}
	n.Fail(abi.QueryCap, syscall.ENOTTY)
	if e := describe("/dev/video0"); e.Reason != NotCapture {
		t.Errorf("no video device: %s: %v", e.Reason, e)
	}
	n.Fail(abi.QueryCap, nil)
	n.Intercept(func(request uint32, _ unsafe.Pointer, err error) error {
		if request == abi.EnumFrameIntervals {
			n.Fail(abi.QueryCap, syscall.ENODEV)
			return syscall.ENODEV
		}
		return err
	})
	if e := describe("/dev/video0"); e.Reason != Unplugged {
		t.Errorf("unplugged meanwhile: %s: %v", e.Reason, e)
	}
}
