package uapi

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// What is believed of a driver at most.
const (
	maxFormats   = 64
	maxSizes     = 256
	maxIntervals = 256
	maxSide      = 1<<16 - 1 // pixels
	maxImage     = 64 << 20  // bytes a picture takes
)

// Formats lists what the device can deliver, in the driver's order, 64 at most. With an
// error there is what came before it.
func (d *Device) Formats(t BufType) ([]FormatDesc, error) {
	var list []FormatDesc
	for i := range uint32(maxFormats) {
		f := abi.FmtDesc{Index: i, Type: uint32(t)}
		if err := ioctl(d, abi.EnumFmt, "VIDIOC_ENUM_FMT", &f); err != nil {
			return list, unlessEnd(err)
		}
		again := slices.ContainsFunc(list, func(o FormatDesc) bool { return o.FourCC == FourCC(f.PixelFormat) })
		if f.PixelFormat == 0 || again {
			continue
		}
		list = append(list, FormatDesc{
			FourCC:      FourCC(f.PixelFormat),
			Compressed:  f.Flags&abi.FmtFlagCompressed != 0,
			Emulated:    f.Flags&abi.FmtFlagEmulated != 0,
			Description: text(f.Description[:]),
		})
	}
	return list, nil
}

// FrameSizes lists the sizes of a format, in the driver's order, 256 at most; none where
// the driver does not tell. With an error there is what came before it.
func (d *Device) FrameSizes(f FourCC) ([]FrameSize, error) {
	var list []FrameSize
	for i := range uint32(maxSizes) {
		e := abi.FrameSizeEnum{Index: i, PixelFormat: uint32(f)}
		if err := ioctl(d, abi.EnumFrameSizes, "VIDIOC_ENUM_FRAMESIZES", &e); err != nil {
			return list, unlessEnd(err, syscall.ENOTTY)
		}
		if s, ok := frameSize(&e); ok && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list, nil
}

// frameSize reads a size or says that it is none.
func frameSize(e *abi.FrameSizeEnum) (FrameSize, bool) {
	s := e.Stepwise
	switch e.Type {
	case abi.FrameTypeDiscrete:
		w, h := e.Discrete()
		s = abi.FrameSizeStepwise{MinWidth: *w, MaxWidth: *w, MinHeight: *h, MaxHeight: *h}
		if *w == 0 || *h == 0 || *w > maxSide || *h > maxSide {
			return FrameSize{}, false
		}
	case abi.FrameTypeContinuous:
		s.StepWidth, s.StepHeight = 1, 1
	case abi.FrameTypeStepwise:
	default:
		return FrameSize{}, false
	}
	w, wok := newRange(s.MinWidth, s.MaxWidth, s.StepWidth)
	h, hok := newRange(s.MinHeight, s.MaxHeight, s.StepHeight)
	return FrameSize{Width: w, Height: h}, wok && hok
}

// newRange is the part of a driver's range that can be the side of a picture.
func newRange(low, high, step uint32) (Range, bool) {
	low, high = max(low, 1), min(high, maxSide)
	switch {
	case low > high:
		return Range{}, false
	case low == high:
		return Range{Min: low, Max: high}, true
	}
	return Range{Min: low, Max: high, Step: max(step, 1)}, true
}

// FrameIntervals lists the frame intervals of a format at a size, in the driver's order,
// 256 at most; none where the driver does not tell. With an error there is what came
// before it.
func (d *Device) FrameIntervals(f FourCC, width, height uint32) ([]FrameInterval, error) {
	var list []FrameInterval
	for i := range uint32(maxIntervals) {
		e := abi.FrameIntervalEnum{Index: i, PixelFormat: uint32(f), Width: width, Height: height}
		if err := ioctl(d, abi.EnumFrameIntervals, "VIDIOC_ENUM_FRAMEINTERVALS", &e); err != nil {
			return list, unlessEnd(err, syscall.ENOTTY)
		}
		if v, ok := frameInterval(&e); ok && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list, nil
}

// frameInterval reads an interval or says that it is none.
func frameInterval(e *abi.FrameIntervalEnum) (FrameInterval, bool) {
	v := FrameInterval{Min: Fraction(e.Stepwise.Min), Max: Fraction(e.Stepwise.Max), Step: Fraction(e.Stepwise.Step)}
	switch e.Type {
	case abi.FrameTypeDiscrete:
		v.Max = v.Min
	case abi.FrameTypeContinuous:
		v.Step = Fraction{}
	case abi.FrameTypeStepwise:
	default:
		return FrameInterval{}, false
	}
	if !v.Min.valid() || !v.Max.valid() {
		return FrameInterval{}, false
	}
	if v.Max.Less(v.Min) {
		v.Min, v.Max = v.Max, v.Min
	}
	if v.Min == v.Max || !v.Step.valid() {
		v.Step = Fraction{}
	}
	return v, true
}

// Format is the format that is set.
func (d *Device) Format(t BufType) (Pix, error) {
	f := abi.Format{Type: uint32(t)}
	if err := ioctl(d, abi.GetFmt, "VIDIOC_G_FMT", &f); err != nil {
		return Pix{}, err
	}
	return d.pix(t, &f)
}

// SetFormat sets the format and returns what the driver made of it, which may be another
// format and size. A format of several planes is an error that says so.
func (d *Device) SetFormat(t BufType, p Pix) (Pix, error) {
	f := abi.Format{Type: uint32(t)}
	if t == CaptureMPlane {
		mp := f.PixMP()
		mp.PixelFormat, mp.Width, mp.Height, mp.Field = uint32(p.FourCC), p.Width, p.Height, p.Field
		mp.NumPlanes = 1
		mp.PlaneFmt[0].BytesPerLine, mp.PlaneFmt[0].SizeImage = p.BytesPerLine, p.SizeImage
	} else {
		sp := f.Pix()
		sp.PixelFormat, sp.Width, sp.Height, sp.Field = uint32(p.FourCC), p.Width, p.Height, p.Field
		sp.BytesPerLine, sp.SizeImage = p.BytesPerLine, p.SizeImage
	}
	if err := ioctl(d, abi.SetFmt, "VIDIOC_S_FMT", &f); err != nil {
		return Pix{}, err
	}
	set, err := d.pix(t, &f)
	switch {
	case err != nil:
		return Pix{}, err
	case set.Width == 0 || set.Height == 0:
		return Pix{}, d.nonsense("VIDIOC_S_FMT made pictures of %dx%d of %s", set.Width, set.Height, p.FourCC)
	case set.Planes != 1:
		return set, d.manyPlanes(set.FourCC.String(), set.Planes)
	}
	return set, nil
}

// manyPlanes says that pictures lie in several stretches of memory.
func (d *Device) manyPlanes(which string, planes uint32) error {
	return fmt.Errorf("%s: %s pictures of this device lie in %d planes; choose a format with one: %w",
		d.path, which, planes, errors.ErrUnsupported)
}

// pix reads a format and refuses what no picture can have.
func (d *Device) pix(t BufType, f *abi.Format) (Pix, error) {
	sp := f.Pix()
	p := Pix{
		FourCC: FourCC(sp.PixelFormat), Width: sp.Width, Height: sp.Height, Field: sp.Field,
		BytesPerLine: sp.BytesPerLine, SizeImage: sp.SizeImage, Planes: 1,
	}
	if t == CaptureMPlane {
		mp := f.PixMP()
		p = Pix{
			FourCC: FourCC(mp.PixelFormat), Width: mp.Width, Height: mp.Height, Field: mp.Field,
			BytesPerLine: mp.PlaneFmt[0].BytesPerLine, SizeImage: mp.PlaneFmt[0].SizeImage, Planes: uint32(mp.NumPlanes),
		}
	}
	switch {
	case p.Width > maxSide || p.Height > maxSide:
		return Pix{}, d.nonsense("pictures of %dx%d", p.Width, p.Height)
	case p.SizeImage > maxImage || p.BytesPerLine > maxImage:
		return Pix{}, d.nonsense("a picture of %d bytes with %d in a line", p.SizeImage, p.BytesPerLine)
	case p.Planes == 0 || p.Planes > abi.MaxPlanes:
		return Pix{}, d.nonsense("a picture of %d planes", p.Planes)
	}
	return p, nil
}

// SetInterval sets the frame interval and returns what the driver made of it. Where there
// is no rate to set the error wraps errors.ErrUnsupported.
func (d *Device) SetInterval(t BufType, f Fraction) (Fraction, error) {
	if !f.valid() {
		return Fraction{}, fmt.Errorf("%s: %d/%d is no frame interval", d.path, f.Numerator, f.Denominator)
	}
	p := abi.StreamParm{Type: uint32(t)}
	if err := ioctl(d, abi.GetParm, "VIDIOC_G_PARM", &p); err != nil {
		return Fraction{}, noRate(err)
	}
	if p.Capture.Capability&abi.ParmTimePerFrame == 0 {
		return Fraction{}, fmt.Errorf("%s: the device has no frame rate to set: %w", d.path, errors.ErrUnsupported)
	}
	p = abi.StreamParm{Type: uint32(t), Capture: abi.CaptureParm{TimePerFrame: abi.Fract(f)}}
	if err := ioctl(d, abi.SetParm, "VIDIOC_S_PARM", &p); err != nil {
		return Fraction{}, noRate(err)
	}
	set := Fraction(p.Capture.TimePerFrame)
	if !set.valid() {
		return Fraction{}, d.nonsense("a frame interval of %d/%d s", set.Numerator, set.Denominator)
	}
	return set, nil
}

// noRate marks the errors of drivers that know no frame rate.
func noRate(err error) error {
	if errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("%w: %w", err, errors.ErrUnsupported)
	}
	return err
}

// unlessEnd is the error of an enumeration unless it is what ends one.
func unlessEnd(err error, also ...error) error {
	for _, end := range append(also, syscall.EINVAL) {
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}
