package v4l2

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

func described(t *testing.T, k uapi.Kernel, path string) Device {
	t.Helper()
	h, err := uapi.Open(k, path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	d, err := Describe(h, path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func describedAs(t *testing.T, d fakev4l2.Device) Device {
	t.Helper()
	k := fakev4l2.New()
	k.Add("/dev/video0", d)
	return described(t, k, "/dev/video0")
}

func every(numerator, denominator uint32) uapi.FrameInterval {
	f := uapi.Fraction{Numerator: numerator, Denominator: denominator}
	return uapi.FrameInterval{Min: f, Max: f}
}

func between(fastest, slowest uapi.Fraction) uapi.FrameInterval {
	return uapi.FrameInterval{Min: fastest, Max: slowest, Step: uapi.Fraction{Numerator: 1, Denominator: 1000}}
}

func stepwise(width, height uapi.Range, intervals ...uapi.FrameInterval) fakev4l2.Size {
	return fakev4l2.Size{FrameSize: uapi.FrameSize{Width: width, Height: height}, Intervals: intervals}
}

func TestDescribe_Webcam(t *testing.T) {
	size := fakev4l2.Discrete(1280, 720)
	size.Intervals = []uapi.FrameInterval{every(2, 15), every(333333, 10000000), every(1, 30), every(1001, 30000), every(1, 24)}
	d := describedAs(t, fakev4l2.Device{
		Driver: "uvcvideo", Card: "HD Webcam", BusInfo: "usb-1",
		Formats: []fakev4l2.Format{
			{FourCC: uapi.MJPG, Description: "Motion-JPEG", Compressed: true,
				Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30), fakev4l2.Discrete(1920, 1080, 30), size}},
			{FourCC: uapi.H264, Description: "H.264", Compressed: true, Sizes: []fakev4l2.Size{fakev4l2.Discrete(1920, 1080, 30)}},
			{FourCC: uapi.Y16, Description: "16-bit Greyscale", Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30)}},
		},
	})
	want := Device{
		Path: "/dev/video0", Card: "HD Webcam", Driver: "uvcvideo", Bus: "usb-1", Controls: []Control{},
		Formats: []Format{
			{FourCC: uapi.MJPG, Description: "Motion-JPEG", Use: Encode,
				Sizes: []Size{sizeAt(1920, 1080, 30), sizeAt(1280, 720, 30, 29.97, 24, 7.5), sizeAt(640, 480, 30)}},
			{FourCC: uapi.H264, Description: "H.264", Use: PassThrough, Sizes: []Size{sizeAt(1920, 1080, 30)}},
			{FourCC: uapi.Y16, Description: "16-bit Greyscale", Use: Unusable, Sizes: []Size{sizeAt(640, 480, 30)}},
		},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

func TestDescribe_RangesListTheUsual(t *testing.T) {
	fast, slow := uapi.Fraction{Numerator: 1, Denominator: 90}, uapi.Fraction{Numerator: 30, Denominator: 1}
	for _, c := range []struct {
		name          string
		width, height uapi.Range
		want          []string
	}{
		{"a Pi", uapi.Range{Min: 32, Max: 2592, Step: 2}, uapi.Range{Min: 32, Max: 1944, Step: 2},
			[]string{"2592x1944", "2560x1440", "2048x1536", "1920x1080", "1600x1200", "1600x900", "1280x960", "1280x720", "1024x768", "1024x576",
				"960x540", "800x600", "640x480", "640x360", "320x240", "320x180", "32x32 to 2592x1944"}},
		{"steps that few fit", uapi.Range{Min: 64, Max: 2048, Step: 64}, uapi.Range{Min: 64, Max: 1536, Step: 64},
			[]string{"2048x1536", "1280x960", "1024x768", "1024x576", "64x64 to 2048x1536"}},
		{"as large as no picture is", uapi.Range{Min: 640, Max: 16384, Step: 1}, uapi.Range{Min: 480, Max: 480},
			[]string{"640x480", "640x480 to 16384x480"}},
		{"a driver without an end", uapi.Range{Min: 1920, Max: 65535, Step: 1}, uapi.Range{Min: 1080, Max: 65535, Step: 1},
			[]string{"3840x2160", "2592x1944", "2560x1440", "2048x1536", "1920x1080", "1920x1080 to 16384x16384"}},
		{"nothing usual within", uapi.Range{Min: 100, Max: 110, Step: 10}, uapi.Range{Min: 100, Max: 100},
			[]string{"110x100", "100x100 to 110x100"}},
		{"a largest size that the steps miss", uapi.Range{Min: 100, Max: 115, Step: 10}, uapi.Range{Min: 100, Max: 100},
			[]string{"110x100", "100x100 to 115x100"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := describedAs(t, fakev4l2.Device{Formats: []fakev4l2.Format{
				{FourCC: uapi.YU12, Sizes: []fakev4l2.Size{stepwise(c.width, c.height, between(fast, slow))}},
			}})
			var got []string
			for _, s := range d.Formats[0].Sizes {
				got = append(got, s.String())
				if want := []float64{60, 50, 30, 25, 24, 20, 15, 10, 5}; !slices.Equal(s.Rates, want) {
					t.Errorf("%s: rates %v, want %v", s, s.Rates, want)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if m, err := Choose(d, Want{}, true); err != nil || !d.Formats[0].Sizes[len(got)-1].has(m.Width, m.Height) {
				t.Errorf("chose %v, %v", m, err)
			}
		})
	}
}

func TestDescribe_RangeOfRatesWithoutAUsualOne(t *testing.T) {
	d := describedAs(t, fakev4l2.Device{Formats: []fakev4l2.Format{{FourCC: uapi.YUYV, Sizes: []fakev4l2.Size{
		stepwise(uapi.Range{Min: 640, Max: 640}, uapi.Range{Min: 480, Max: 480},
			between(uapi.Fraction{Numerator: 10, Denominator: 90}, uapi.Fraction{Numerator: 10, Denominator: 86})),
	}}}})
	if got, want := d.Formats[0].Sizes[0].Rates, []float64{9, 8.6}; !slices.Equal(got, want) {
		t.Errorf("rates %v, want %v", got, want)
	}
}

// Drivers that cannot enumerate have one size, and a rate that is tried.
func TestDescribe_DriverThatTellsNothing(t *testing.T) {
	for _, errno := range []error{syscall.ENOTTY, syscall.EINVAL} {
		k := fakev4l2.New()
		n := plug(k, "/dev/video0", "old", "pci-1")
		n.Fail(abi.EnumFrameSizes, errno)
		n.Fail(abi.EnumFrameIntervals, errno)
		d := described(t, k, "/dev/video0")
		if diff := cmp.Diff([]Size{sizeAt(640, 480)}, d.Formats[0].Sizes); diff != "" {
			t.Errorf("%v: %s", errno, diff)
		}
		m, err := Choose(d, Want{}, false)
		if err != nil || m.String() != "H264 640x480 at 30" {
			t.Errorf("%v: chose %v, %v", errno, m, err)
		}
		n.Fail(abi.GetFmt, syscall.EINVAL)
		d = described(t, k, "/dev/video0")
		if len(d.Formats[0].Sizes) > 0 {
			t.Errorf("made up %v", d.Formats[0].Sizes)
		}
		var e *Error
		if _, err := Choose(d, Want{}, false); !errors.As(err, &e) || e.Reason != NoFormat {
			t.Errorf("chose a size that is not known: %v", err)
		}
	}
}

func TestDescribe_Controls(t *testing.T) {
	integer := uapi.Control{ID: uapi.ControlBitrate, Type: uapi.TypeInteger, Name: "Bitrate", Min: 1, Max: 9, Step: 1, Default: 5}
	button := uapi.Control{ID: uapi.ControlForceKeyFrame, Type: uapi.TypeButton, Name: "Force Key Frame"}
	secret := uapi.Control{ID: uapi.ControlGOPSize, Type: uapi.TypeInteger, Name: "GOP", Max: 9, Default: 3, Flags: abi.CtrlFlagWriteOnly}
	k := fakev4l2.New()
	n := k.Add("/dev/video0", fakev4l2.Device{Controls: []uapi.Control{integer, button, secret}})
	values := func() map[string]int64 {
		got := map[string]int64{}
		for _, c := range described(t, k, "/dev/video0").Controls {
			if got[c.Name] = -1; c.HasValue {
				got[c.Name] = c.Value
			}
		}
		return got
	}
	if diff := cmp.Diff(map[string]int64{"Bitrate": 5, "Force Key Frame": -1, "GOP": -1}, values()); diff != "" {
		t.Error(diff)
	}

	// A USB camera that hangs takes five seconds to refuse a value.
	others := []uapi.Control{integer}
	for i := range uint32(8) {
		other := integer
		other.ID = uapi.ControlBitrate + 1000 + i
		others = append(others, other)
	}
	n.Unplug()
	n = k.Add("/dev/video0", fakev4l2.Device{Controls: others})
	asked := 0
	n.Intercept(func(request uint32, _ unsafe.Pointer, err error) error {
		if request == abi.GetExtCtrls {
			asked++
			return syscall.ETIMEDOUT
		}
		return err
	})
	if d := described(t, k, "/dev/video0"); len(d.Controls) != len(others) || asked != 1 {
		t.Errorf("%d of %d controls, %d values asked for", len(d.Controls), len(others), asked)
	}
}

// A driver that has an answer to every question must not be asked for ever.
func TestDescribe_Bounded(t *testing.T) {
	k := fakev4l2.New()
	n := plug(k, "/dev/video0", "endless", "usb-1")
	asked := 0
	n.Intercept(func(request uint32, arg unsafe.Pointer, _ error) error {
		asked++
		switch request {
		case abi.EnumFmt:
			f := (*abi.FmtDesc)(arg)
			f.PixelFormat = 'A' | 'A'<<8 | 'A'<<16 | ('0'+f.Index)<<24
		case abi.EnumFrameSizes:
			s := (*abi.FrameSizeEnum)(arg)
			s.Type = abi.FrameTypeDiscrete
			w, h := s.Discrete()
			*w, *h = 16+s.Index, 16+s.Index
		case abi.EnumFrameIntervals:
			i := (*abi.FrameIntervalEnum)(arg)
			i.Type = abi.FrameTypeDiscrete
			i.Stepwise.Min = abi.Fract{Numerator: 1, Denominator: 1 + i.Index}
		}
		return nil
	})
	d := described(t, k, "/dev/video0")
	if len(d.Formats) == 0 || asked > 400_000 {
		t.Errorf("%d formats after %d questions", len(d.Formats), asked)
	}
	for _, f := range d.Formats {
		if len(f.Sizes) > maxSizes+maxRanges {
			t.Errorf("%d sizes", len(f.Sizes))
		}
	}
}
