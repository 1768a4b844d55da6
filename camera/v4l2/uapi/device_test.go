package uapi_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// webcam is a device as there are many.
func webcam() fakev4l2.Device {
	return fakev4l2.Device{
		Card: "HD Webcam",
		Formats: []fakev4l2.Format{
			{FourCC: uapi.MJPG, Description: "Motion-JPEG", Compressed: true, Sizes: []fakev4l2.Size{
				fakev4l2.Discrete(1280, 720, 30, 15), fakev4l2.Discrete(640, 480, 30),
			}},
			{FourCC: uapi.YUYV, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30, 5)}},
			{FourCC: uapi.NV12, Emulated: true, Sizes: []fakev4l2.Size{{
				FrameSize: uapi.FrameSize{Width: uapi.Range{Min: 32, Max: 1920, Step: 16}, Height: uapi.Range{Min: 32, Max: 1080, Step: 2}},
				Intervals: []uapi.FrameInterval{{
					Min: uapi.Fraction{Numerator: 1, Denominator: 60}, Max: uapi.Fraction{Numerator: 1, Denominator: 1},
					Step: uapi.Fraction{Numerator: 1, Denominator: 60},
				}},
			}}},
		},
	}
}

// open adds a device to a kernel of its own and opens it. In the end nothing may be left.
func open(t *testing.T, config fakev4l2.Device) (*uapi.Device, *fakev4l2.Node, *fakev4l2.Kernel) {
	t.Helper()
	k := fakev4l2.New()
	node := k.Add("/dev/video0", config)
	d, err := uapi.Open(k, "/dev/video0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if n := k.Leaks(); n != 0 {
			t.Errorf("%d descriptors, mappings and waiters are left", n)
		}
	})
	return d, node, k
}

// answer makes the driver answer a request with a structure of the test's.
func answer[T any](n *fakev4l2.Node, request uint32, change func(*T)) {
	n.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
		if r == request {
			change((*T)(arg))
			return nil
		}
		return err
	})
}

func TestOpen_ErrorsWrapTheErrno(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add("/dev/video0", webcam())
	node.FailOpen(syscall.EACCES)
	for path, want := range map[string]error{"/dev/video0": syscall.EACCES, "/dev/video1": fs.ErrNotExist} {
		_, err := uapi.Open(k, path)
		if !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("opening %s: %v, want %v", path, err, want)
		}
	}
	if k.Leaks() != 0 {
		t.Error("something is left open")
	}
}

func TestCapability_IsOfTheNodeAndReadable(t *testing.T) {
	d, node, _ := open(t, fakev4l2.Device{Driver: "uvcvideo", Card: "HD Webcam", BusInfo: "usb-1", Formats: webcam().Formats})
	got, err := d.Capability()
	want := uapi.Capability{
		Driver: "uvcvideo", Card: "HD Webcam", BusInfo: "usb-1", Version: 0x60100,
		Caps: abi.CapVideoCapture | abi.CapStreaming | abi.CapExtPixFormat,
	}
	if err != nil || got != want {
		t.Errorf("capability: %v\n%s", err, cmp.Diff(want, got))
	}

	// An old driver, with a text without end and one for a terminal.
	answer(node, abi.QueryCap, func(c *abi.Capability) {
		c.Capabilities, c.DeviceCaps = abi.CapVideoCapture|abi.CapStreaming, abi.CapRadio
		for i := range c.Card {
			c.Card[i] = 'x'
		}
		copy(c.Driver[:], "\xff\x1b[31m\ta\u202eb\x00secret")
	})
	got, err = d.Capability()
	if err != nil || got.Caps != abi.CapVideoCapture|abi.CapStreaming {
		t.Errorf("an old driver's capabilities: %#x, %v", got.Caps, err)
	}
	if got.Card != strings.Repeat("x", 32) || got.Driver != "\ufffd\ufffd[31m a\ufffdb" {
		t.Errorf("hostile texts: card %q, driver %q", got.Card, got.Driver)
	}
}

func TestCapability_TellsWhatCaptures(t *testing.T) {
	const stream = abi.CapStreaming
	for caps, want := range map[uint32]uapi.BufType{
		abi.CapVideoCapture | stream:                      uapi.Capture,
		abi.CapVideoCaptureMPlane | stream:                uapi.CaptureMPlane,
		abi.CapVideoCapture | abi.CapVideoOutput | stream: uapi.Capture, // a loopback device
		abi.CapVideoCapture | abi.CapReadWrite:            0,            // read() alone
		abi.CapVideoOutput | stream:                       0,
		abi.CapVideoM2M | abi.CapVideoCapture | stream:    0,
		abi.CapVideoM2MMPlane | stream:                    0,
		abi.CapMetaCapture | stream:                       0,
		abi.CapVBICapture | stream:                        0,
		abi.CapRadio:                                      0,
	} {
		if got, ok := (uapi.Capability{Caps: caps}).Capture(); got != want || ok != (want != 0) {
			t.Errorf("capabilities %#x capture by %d, %t; want %d", caps, got, ok, want)
		}
	}
}

func TestClose_MakesEverythingFailAndNothingCrash(t *testing.T) {
	d, node, _ := open(t, webcam())
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	d.Wake()
	node.Unplug()
	_, capability := d.Capability()
	_, formats := d.Formats(uapi.Capture)
	_, interval := d.SetInterval(uapi.Capture, uapi.Fraction{Numerator: 1, Denominator: 30})
	_, controls := d.Controls()
	_, mapped := d.Map(uapi.Capture, 4)
	for _, err := range []error{capability, formats, interval, controls, mapped} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("of a closed device: %v", err)
		}
	}
	_, dequeued := d.Dequeue()
	_, waited := d.Wait(time.Hour)
	for _, err := range []error{d.Start(), d.Queue(0), dequeued, waited} {
		if err == nil {
			t.Error("a closed device does something")
		}
	}
	if err := d.Stop(); err != nil {
		t.Errorf("stopping a closed device: %v", err)
	}
}
