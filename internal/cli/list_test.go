package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// machine is a kernel with its own /dev.
type machine struct {
	*fakev4l2.Kernel
	root string
}

// Root is where the files of the machine are.
func (m machine) Root() string { return m.root }

func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{fakev4l2.New(), t.TempDir()}
	for _, dir := range []string{"dev/v4l/by-id", "dev/v4l/by-path"} {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// plug adds a device and links to it below /dev/v4l.
func (m machine) plug(t *testing.T, path string, d fakev4l2.Device, links ...string) *fakev4l2.Node {
	t.Helper()
	if err := os.WriteFile(m.root+path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if err := os.Symlink("../.."+strings.TrimPrefix(path, "/dev"), filepath.Join(m.root, "dev/v4l", link)); err != nil {
			t.Fatal(err)
		}
	}
	return m.Add(path, d)
}

// webcam encodes, and gives pictures that have to be encoded.
func webcam() fakev4l2.Device {
	integer := func(id uint32, name string, low, high, now int64) uapi.Control {
		return uapi.Control{ID: id, Type: uapi.TypeInteger, Name: name, Min: low, Max: high, Step: 1, Default: now}
	}
	const user = 0x00980900
	return fakev4l2.Device{
		Driver: "uvcvideo", Card: "HD Pro Webcam C920", BusInfo: "usb-0000:00:14.0-1",
		Formats: []fakev4l2.Format{
			{FourCC: uapi.YUYV, Description: "YUYV 4:2:2", Sizes: []fakev4l2.Size{
				fakev4l2.Discrete(640, 480, 30, 24), fakev4l2.Discrete(640, 360, 30), fakev4l2.Discrete(1920, 1080, 5), fakev4l2.Discrete(1280, 720, 10)}},
			{FourCC: uapi.H264, Description: "H.264", Compressed: true, Sizes: []fakev4l2.Size{
				fakev4l2.Discrete(640, 360, 30), fakev4l2.Discrete(1280, 720, 30, 15), fakev4l2.Discrete(1920, 1080, 30)}},
			{FourCC: uapi.Y16, Description: "16-bit Greyscale", Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30)}},
		},
		Controls: []uapi.Control{
			integer(user, "Brightness", 0, 255, 128), integer(user+1, "Contrast", 0, 255, 128), integer(user+2, "Saturation", 0, 255, 128),
			integer(user+19, "Gain", 0, 255, 0), integer(user+27, "Sharpness", 0, 255, 128), integer(user+26, "White Balance", 2000, 6500, 4000),
			{ID: user + 24, Type: uapi.TypeMenu, Name: "Power Line Frequency", Max: 2, Default: 2, Menu: []uapi.MenuItem{{Index: 0, Name: "Disabled"}, {Index: 2, Name: "60 Hz"}}},
			integer(uapi.ControlGOPSize, "Video GOP Size", 1, 250, 30),
			integer(uapi.ControlBitrate, "Video Bitrate", 100_000, 10_000_000, 2_500_000),
			{ID: uapi.ControlForceKeyFrame, Type: uapi.TypeButton, Name: "Force Key Frame"},
		},
	}
}

// sensor has ranges of sizes, raw pictures alone and no link.
func sensor() fakev4l2.Device {
	return fakev4l2.Device{
		Driver: "unicam", Card: "unicam", BusInfo: "platform:fe801000.csi",
		Formats: []fakev4l2.Format{{FourCC: uapi.YU12, Sizes: []fakev4l2.Size{{
			FrameSize: uapi.FrameSize{Width: uapi.Range{Min: 32, Max: 2592, Step: 2}, Height: uapi.Range{Min: 32, Max: 1944, Step: 2}},
			Intervals: []uapi.FrameInterval{{Min: uapi.Fraction{Numerator: 1, Denominator: 90}, Max: uapi.Fraction{Numerator: 1, Denominator: 1}, Step: uapi.Fraction{Numerator: 1, Denominator: 90}}},
		}}}},
	}
}

// printed runs camera --list.
func printed(k uapi.Kernel, c Camera) (string, error) {
	var out bytes.Buffer
	err := c.list(&Process{Name: "sightline", Stdout: &out, Stderr: io.Discard}, k)
	return out.String(), err
}

// office is a machine with a webcam, its metadata, a sensor and a camera that others use.
func office(t *testing.T) machine {
	t.Helper()
	m := newMachine(t)
	m.plug(t, "/dev/video0", webcam(), "by-id/usb-046d_HD_Pro_Webcam_C920_1A2B3C4D-video-index0", "by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0")
	m.plug(t, "/dev/video1", fakev4l2.Device{Card: "HD Pro Webcam C920", Caps: abi.CapMetaCapture | abi.CapStreaming})
	m.plug(t, "/dev/video2", sensor())
	m.plug(t, "/dev/video3", fakev4l2.Device{}, "by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0").FailOpen(syscall.EBUSY)
	return m
}

// textOf is the list that a binary with an encoder prints.
func textOf(t *testing.T, k uapi.Kernel, encoder string) string {
	t.Helper()
	devices, err := v4l2.List(k)
	if err != nil {
		t.Fatal(err)
	}
	l := listingOf(devices, encoder)
	lines := l.text("sightline")
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > listWidth && !strings.Contains(line, "/dev/v4l/") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

func TestList_DescribesEachCamera(t *testing.T) {
	const want = `
/dev/video0  HD Pro Webcam C920
    address     /dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B3C4D-video-index0
    driver      uvcvideo at usb-0000:00:14.0-1
    runs as     H264 1920x1080 at 30 pictures a second, passed on as it is
    YUYV        encoded by this agent
                5/s     1920x1080
                10/s    1280x720
                30/s    640x480, 640x360
  * H264        passed on as it is
                30/s    1920x1080, 1280x720, 640x360
    Y16         of no use here
    key frames  on demand, every 1 to 250 pictures, now 30
    bitrate     0.1 to 10 Mbit/s, now 2.5
    also        Brightness, Contrast, Saturation, Gain, Power Line Frequency and 2 more

/dev/video2  unicam
    address     v4l2:unicam
    driver      unicam at platform:fe801000.csi
    runs as     YU12 1280x720 at 30 pictures a second, encoded by this agent
  * YU12        encoded by this agent
                60/s    all from 32x32 to 2592x1944 in steps of 2x2

/dev/video3
    address     /dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0
    problem     /dev/video3 is in use by another program; end that, or watch the camera through it

* is used where --format says nothing else. To publish a camera: sightline camera ADDRESS, as in
  sightline camera /dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B3C4D-video-index0
`
	if diff := cmp.Diff(want, textOf(t, office(t), "x264")); diff != "" {
		t.Error(diff)
	}
}

func TestList_SaysWhatAnEncoderIsMissingFor(t *testing.T) {
	const want = `
/dev/video0  unicam
    address     v4l2:unicam
    driver      unicam at platform:fe801000.csi
    problem     /dev/video0 (unicam) gives only pictures that have to be encoded (YU12), and this
                binary cannot encode video; build one that can`
	m := newMachine(t)
	m.plug(t, "/dev/video0", sensor())
	text := textOf(t, m, "")
	if !strings.HasPrefix(text, want) || !strings.Contains(text, "    YU12        needs a binary with an encoder\n") || strings.Contains(text, "* is used") {
		t.Error(text)
	}
}

func TestList_PicksAnAddressThatStays(t *testing.T) {
	plain := func(card, bus string) fakev4l2.Device { return fakev4l2.Device{Card: card, BusInfo: bus} }
	m := newMachine(t)
	// Two of a model without serial numbers: the link by-id is whoever's came last.
	m.plug(t, "/dev/video0", plain("Cheap", "1"), "by-path/pci-1-video-index0")
	m.plug(t, "/dev/video1", plain("Cheap", "2"), "by-id/usb-Cheap-video-index0", "by-path/pci-2-video-index0")
	// Two with serial numbers.
	m.plug(t, "/dev/video2", plain("Good", "3"), "by-id/usb-Good_1-video-index0", "by-path/pci-3-video-index0")
	m.plug(t, "/dev/video3", plain("Good", "4"), "by-id/usb-Good_2-video-index0", "by-path/pci-4-video-index0")
	// No links: by name, if that is one's own and an address.
	m.plug(t, "/dev/video4", plain("It's  one", "5"))
	m.plug(t, "/dev/video5", plain("Loop", "6"))
	m.plug(t, "/dev/video6", plain("Loop", "7"))
	m.plug(t, "/dev/video7", plain("/dev/null", "8"))
	devices, err := v4l2.List(m)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range listingOf(devices, "").Devices {
		got = append(got, quoted(d.Address))
	}
	want := []string{
		"/dev/v4l/by-path/pci-1-video-index0", "/dev/v4l/by-path/pci-2-video-index0",
		"/dev/v4l/by-id/usb-Good_1-video-index0", "/dev/v4l/by-id/usb-Good_2-video-index0",
		`'v4l2:It'\''s  one'`, "/dev/video5", "/dev/video6", "/dev/video7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestList_NoCameraSaysWhatToLookAt(t *testing.T) {
	text, err := printed(newMachine(t), Camera{List: true})
	if err != nil || text != noDevices+"\n" {
		t.Errorf("%q, %v", text, err)
	}
	if text, err = printed(newMachine(t), Camera{List: true, JSON: true}); err != nil || !strings.Contains(text, `"devices": []`) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestList_GoesWithNothingElse(t *testing.T) {
	t.Setenv("SIGHTLINE_LISTEN", "127.0.0.1:0") // of the agent that runs in the same environment
	t.Setenv("SIGHTLINE_OPEN", "true")
	m := newMachine(t)
	for _, args := range [][]string{{}, {"--json"}} {
		if text, err := printed(m, parsed(t, append(args, "--list")...)); err != nil {
			t.Errorf("%v: %q, %v", args, text, err)
		}
	}
	for _, args := range [][]string{{"/dev/video0"}, {"--size", "640x480"}, {"--listen", "127.0.0.1:1"}, {"--config", "x"}, {"--name", "a"}, {"--json", "--insecure"}} {
		if text, err := printed(m, parsed(t, append(args, "--list")...)); err == nil || !strings.Contains(err.Error(), "alone or with --json") {
			t.Errorf("%v: %q, %v", args, text, err)
		}
	}
	if _, err := printed(m, parsed(t, "--json", "/dev/video0")); err == nil || !strings.Contains(err.Error(), "--json goes with --list") {
		t.Error(err)
	}
}

func parsed(t *testing.T, args ...string) Camera {
	t.Helper()
	var c Camera
	f, err := NewFlags("camera", &c)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestList_JSONHasAll(t *testing.T) {
	d := sensor()
	d.Formats = append(d.Formats, fakev4l2.Format{FourCC: uapi.H264, Description: "H.264", Compressed: true, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 360, 30, 15)}})
	d.Formats[0].Sizes[0].Width.Max, d.Formats[0].Sizes[0].Height.Max = 480, 360
	d.Controls = []uapi.Control{
		{ID: 9963776, Type: uapi.TypeInteger, Name: "Brightness", Max: 255, Step: 5, Default: 128, Flags: abi.CtrlFlagReadOnly},
		{ID: 9963800, Type: uapi.TypeMenu, Name: "Power Line Frequency", Max: 1, Menu: []uapi.MenuItem{{Index: 1, Name: "50 Hz"}}},
		{ID: uapi.ControlForceKeyFrame, Type: uapi.TypeButton, Name: "Force Key Frame"},
	}
	m := newMachine(t)
	m.plug(t, "/dev/video0", d, "by-path/csi")
	m.plug(t, "/dev/video1", fakev4l2.Device{}).FailOpen(syscall.EBUSY)
	devices, err := v4l2.List(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(listingOf(devices, ""))
	if err != nil {
		t.Fatal(err)
	}
	const rates = `[60,50,30,25,24,20,15,10,5]`
	want := `{"encoder":"","devices":[
{"path":"/dev/video0","address":"/dev/v4l/by-path/csi","stable":["/dev/v4l/by-path/csi"],"card":"unicam","driver":"unicam","bus":"platform:fe801000.csi",
"chosen":{"format":"H264","width":640,"height":360,"rate":30,"use":"passThrough"},"problem":"","formats":[
{"format":"YU12","description":"YU12","use":"encode","sizes":[
{"width":480,"height":360,"rates":` + rates + `},{"width":320,"height":240,"rates":` + rates + `},{"width":320,"height":180,"rates":` + rates + `}],
"ranges":[{"width":{"min":32,"max":480,"step":2},"height":{"min":32,"max":360,"step":2},"rates":` + rates + `}]},
{"format":"H264","description":"H.264","use":"passThrough","sizes":[{"width":640,"height":360,"rates":[30,15]}],"ranges":[]}],
"controls":[
{"id":9963776,"name":"Brightness","type":"integer","writable":false,"value":128,"min":0,"max":255,"step":5,"default":128,"menu":[]},
{"id":9963800,"name":"Power Line Frequency","type":"menu","writable":true,"value":0,"min":0,"max":1,"step":0,"default":0,"menu":[{"index":1,"name":"50 Hz","value":0}]},
{"id":10029541,"name":"Force Key Frame","type":"button","writable":true,"value":null,"min":0,"max":0,"step":0,"default":0,"menu":[]}]},
{"path":"/dev/video1","address":"/dev/video1","stable":[],"card":"","driver":"","bus":"","chosen":null,
"problem":"/dev/video1 is in use by another program; end that, or watch the camera through it","formats":[],"controls":[]}]}`
	if diff := cmp.Diff(strings.ReplaceAll(want, "\n", ""), string(got)); diff != "" {
		t.Error(diff)
	}
}
