package uapi_test

import (
	"errors"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

func second(numerator, denominator uint32) uapi.Fraction {
	return uapi.Fraction{Numerator: numerator, Denominator: denominator}
}

func TestFormats_AreListedWithSizesAndIntervals(t *testing.T) {
	d, _, _ := open(t, webcam())
	formats, err := d.Formats(uapi.Capture)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uapi.FormatDesc{
		{FourCC: uapi.MJPG, Compressed: true, Description: "Motion-JPEG"},
		{FourCC: uapi.YUYV, Description: "YUYV"},
		{FourCC: uapi.NV12, Emulated: true, Description: "NV12"},
	}, formats); diff != "" {
		t.Error(diff)
	}
	sizes, err := d.FrameSizes(uapi.MJPG)
	if diff := cmp.Diff([]uapi.FrameSize{
		{Width: uapi.Range{Min: 1280, Max: 1280}, Height: uapi.Range{Min: 720, Max: 720}},
		{Width: uapi.Range{Min: 640, Max: 640}, Height: uapi.Range{Min: 480, Max: 480}},
	}, sizes); diff != "" || err != nil {
		t.Error(err, diff)
	}
	sizes, err = d.FrameSizes(uapi.NV12)
	if diff := cmp.Diff([]uapi.FrameSize{
		{Width: uapi.Range{Min: 32, Max: 1920, Step: 16}, Height: uapi.Range{Min: 32, Max: 1080, Step: 2}},
	}, sizes); diff != "" || err != nil {
		t.Error(err, diff)
	}
	intervals, err := d.FrameIntervals(uapi.MJPG, 1280, 720)
	if diff := cmp.Diff([]uapi.FrameInterval{
		{Min: second(1, 30), Max: second(1, 30)}, {Min: second(1, 15), Max: second(1, 15)},
	}, intervals); diff != "" || err != nil {
		t.Error(err, diff)
	}
	intervals, err = d.FrameIntervals(uapi.NV12, 640, 480)
	if diff := cmp.Diff([]uapi.FrameInterval{
		{Min: second(1, 60), Max: second(1, 1), Step: second(1, 60)},
	}, intervals); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if intervals, err = d.FrameIntervals(uapi.MJPG, 641, 480); len(intervals) != 0 || err != nil {
		t.Errorf("intervals of a size there is not: %v, %v", intervals, err)
	}
}

func TestFormats_OfADriverThatNeverEndsAreBounded(t *testing.T) {
	d, node, _ := open(t, webcam())
	answer(node, abi.EnumFmt, func(f *abi.FmtDesc) { f.PixelFormat = f.Index + 1 })
	if list, err := d.Formats(uapi.Capture); err != nil || len(list) != 64 {
		t.Errorf("%d formats, %v", len(list), err)
	}
	answer(node, abi.EnumFrameSizes, func(e *abi.FrameSizeEnum) {
		w, h := e.Discrete()
		e.Type, *w, *h = abi.FrameTypeDiscrete, e.Index+1, 480
	})
	if list, err := d.FrameSizes(uapi.MJPG); err != nil || len(list) != 256 {
		t.Errorf("%d sizes, %v", len(list), err)
	}
	answer(node, abi.EnumFrameIntervals, func(e *abi.FrameIntervalEnum) {
		e.Type, e.Stepwise.Min = abi.FrameTypeDiscrete, abi.Fract{Numerator: 1, Denominator: e.Index + 1}
	})
	if list, err := d.FrameIntervals(uapi.MJPG, 640, 480); err != nil || len(list) != 256 {
		t.Errorf("%d intervals, %v", len(list), err)
	}
}

func TestFormats_LeaveOutWhatCannotBe(t *testing.T) {
	d, node, _ := open(t, webcam())
	sizes := []abi.FrameSizeEnum{
		{Type: abi.FrameTypeDiscrete}, // 0x0
		{Type: 77, Stepwise: abi.FrameSizeStepwise{MinWidth: 1, MaxWidth: 1, MinHeight: 1, MaxHeight: 1}}, // no kind
		{Type: abi.FrameTypeStepwise, Stepwise: abi.FrameSizeStepwise{MinWidth: 9, MaxWidth: 3, MinHeight: 1, MaxHeight: 1}},
		{Type: abi.FrameTypeStepwise, Stepwise: abi.FrameSizeStepwise{MaxWidth: 1 << 31, MaxHeight: 8}},
		{Type: abi.FrameTypeDiscrete, Stepwise: abi.FrameSizeStepwise{MinWidth: 1 << 20, MaxWidth: 8}},
		{Type: abi.FrameTypeContinuous, Stepwise: abi.FrameSizeStepwise{MinWidth: 2, MaxWidth: 8, StepWidth: 5, MinHeight: 4, MaxHeight: 4}},
	}
	node.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
		if r != abi.EnumFrameSizes {
			return err
		}
		e := (*abi.FrameSizeEnum)(arg)
		if int(e.Index) >= len(sizes) {
			return syscall.EINVAL
		}
		*e = sizes[e.Index]
		return nil
	})
	got, err := d.FrameSizes(uapi.MJPG)
	if diff := cmp.Diff([]uapi.FrameSize{
		{Width: uapi.Range{Min: 1, Max: 65535, Step: 1}, Height: uapi.Range{Min: 1, Max: 8, Step: 1}},
		{Width: uapi.Range{Min: 2, Max: 8, Step: 1}, Height: uapi.Range{Min: 4, Max: 4}},
	}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}

	intervals := []abi.FrameIntervalEnum{
		{Type: abi.FrameTypeDiscrete, Stepwise: abi.FrameIntervalStepwise{Min: abi.Fract{Numerator: 1}}},
		{Type: abi.FrameTypeDiscrete, Stepwise: abi.FrameIntervalStepwise{Min: abi.Fract{Denominator: 30}}},
		{Type: abi.FrameTypeStepwise, Stepwise: abi.FrameIntervalStepwise{Min: abi.Fract{Numerator: 1, Denominator: 5}, Max: abi.Fract{Numerator: 1, Denominator: 60}}},
	}
	node.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
		if r != abi.EnumFrameIntervals {
			return err
		}
		e := (*abi.FrameIntervalEnum)(arg)
		if int(e.Index) >= len(intervals) {
			return syscall.EINVAL
		}
		*e = intervals[e.Index]
		return nil
	})
	rates, err := d.FrameIntervals(uapi.MJPG, 640, 480)
	if diff := cmp.Diff([]uapi.FrameInterval{{Min: second(1, 60), Max: second(1, 5)}}, rates); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestFormats_KeepWhatCameBeforeAnError(t *testing.T) {
	d, node, _ := open(t, webcam())
	node.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
		if r == abi.EnumFmt && (*abi.FmtDesc)(arg).Index == 1 {
			return syscall.EIO
		}
		return err
	})
	if list, err := d.Formats(uapi.Capture); len(list) != 1 || !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, %v; want one format and EIO", list, err)
	}
	node.Intercept(nil)
	node.Fail(abi.EnumFrameSizes, syscall.ENOTTY)
	if list, err := d.FrameSizes(uapi.MJPG); len(list) != 0 || err != nil {
		t.Errorf("%v, %v of a driver that does not tell", list, err)
	}
}

func TestSetFormat_SaysWhatTheDriverMadeOfIt(t *testing.T) {
	d, node, _ := open(t, webcam())
	got, err := d.SetFormat(uapi.Capture, uapi.Pix{FourCC: uapi.NV12, Width: 645, Height: 481})
	want := uapi.Pix{FourCC: uapi.NV12, Width: 640, Height: 480, Field: abi.FieldNone, BytesPerLine: 640, SizeImage: 640 * 720, Planes: 1}
	if err != nil || got != want {
		t.Errorf("%v, want %v: %v", got, want, err)
	}
	if set, err := d.Format(uapi.Capture); err != nil || set != want || node.Format() != want {
		t.Errorf("the format is %v, %v afterwards", set, err)
	}
	if set, err := d.SetInterval(uapi.Capture, second(1, 25)); err != nil || set != second(1, 25) || node.Interval() != set {
		t.Errorf("the interval is %v, %v", set, err)
	}
	if _, err := d.SetInterval(uapi.Capture, uapi.Fraction{}); err == nil {
		t.Error("0/0 is set as an interval")
	}
}

func TestSetFormat_RefusesNonsense(t *testing.T) {
	d, node, _ := open(t, webcam())
	for what, change := range map[string]func(*abi.PixFormat){
		"no width":     func(p *abi.PixFormat) { p.Width = 0 },
		"a huge width": func(p *abi.PixFormat) { p.Width = 1 << 30 },
		"a huge size":  func(p *abi.PixFormat) { p.SizeImage = 1 << 30 },
		"a huge line":  func(p *abi.PixFormat) { p.BytesPerLine = 1 << 30 },
	} {
		answer(node, abi.SetFmt, func(f *abi.Format) { change(f.Pix()) })
		if got, err := d.SetFormat(uapi.Capture, uapi.Pix{FourCC: uapi.YUYV, Width: 640, Height: 480}); !errors.Is(err, uapi.ErrAnswer) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	answer(node, abi.SetParm, func(p *abi.StreamParm) { p.Capture.TimePerFrame = abi.Fract{} })
	if got, err := d.SetInterval(uapi.Capture, second(1, 25)); !errors.Is(err, uapi.ErrAnswer) {
		t.Errorf("an interval of 0/0: %v, %v", got, err)
	}
}

func TestSetInterval_IsUnsupportedWhereThereIsNone(t *testing.T) {
	d, node, _ := open(t, webcam())
	answer(node, abi.GetParm, func(p *abi.StreamParm) { p.Capture.Capability = 0 })
	if _, err := d.SetInterval(uapi.Capture, second(1, 25)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without the capability: %v", err)
	}
	node.Intercept(nil)
	node.Fail(abi.GetParm, syscall.ENOTTY)
	if _, err := d.SetInterval(uapi.Capture, second(1, 25)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without the request: %v", err)
	}
	node.Fail(abi.GetParm, nil)
	node.Fail(abi.SetParm, syscall.EBUSY)
	if _, err := d.SetInterval(uapi.Capture, second(1, 25)); !errors.Is(err, syscall.EBUSY) || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("of a busy device: %v", err)
	}
}

func TestFormats_OfMultiPlanarDevices(t *testing.T) {
	d, node, _ := open(t, fakev4l2.Device{MPlane: true, Formats: []fakev4l2.Format{
		{FourCC: uapi.NV12, Padding: 64, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30)}},
		{FourCC: uapi.NM12, Planes: 2, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 480, 30)}},
	}})
	if list, err := d.Formats(uapi.CaptureMPlane); err != nil || len(list) != 2 {
		t.Errorf("formats: %v, %v", list, err)
	}
	got, err := d.SetFormat(uapi.CaptureMPlane, uapi.Pix{FourCC: uapi.NV12, Width: 640, Height: 480})
	want := uapi.Pix{FourCC: uapi.NV12, Width: 640, Height: 480, Field: abi.FieldNone, BytesPerLine: 704, SizeImage: 704 * 720, Planes: 1}
	if err != nil || got != want {
		t.Errorf("%v, want %v: %v", got, want, err)
	}
	if _, err := d.SetInterval(uapi.CaptureMPlane, second(1, 30)); err != nil {
		t.Error(err)
	}
	if got, err = d.SetFormat(uapi.CaptureMPlane, uapi.Pix{FourCC: uapi.NM12, Width: 640, Height: 480}); got.Planes != 2 || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a format of two planes: %v, %v", got, err)
	}
	if _, err := d.Map(uapi.CaptureMPlane, 4); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("mapping two planes: %v", err)
	}
	for _, planes := range []uint8{0, 9, 255} {
		answer(node, abi.GetFmt, func(f *abi.Format) { f.PixMP().NumPlanes = planes })
		if got, err := d.Format(uapi.CaptureMPlane); !errors.Is(err, uapi.ErrAnswer) {
			t.Errorf("%d planes: %v, %v", planes, got, err)
		}
	}
}

func TestFraction(t *testing.T) {
	for f, want := range map[uapi.Fraction]float64{second(1, 30): 30, second(2, 1): 0.5, second(0, 1): 0, {}: 0} {
		if f.Rate() != want {
			t.Errorf("%v is %v pictures a second, want %v", f, f.Rate(), want)
		}
	}
	if d := second(1, 25).Duration(); d.Milliseconds() != 40 {
		t.Errorf("1/25 s is %v", d)
	}
	if d := second(1<<32-1, 1).Duration(); d <= 0 {
		t.Errorf("2^32-1 s are %v", d)
	}
	if second(1, 0).Duration() != 0 || !second(1, 60).Less(second(1, 30)) || second(1, 30).Less(second(2, 60)) {
		t.Error("fractions compare wrongly")
	}
}
