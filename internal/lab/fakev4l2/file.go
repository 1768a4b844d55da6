package fakev4l2

import (
	"syscall"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// file is an open descriptor. The kernel's mutex guards it.
type file struct {
	node     *Node
	plugging int   // of the node, when it was opened
	sets     []Set // by the request that is being made
}

// alive says whether the device is still the one that was opened.
func (f *file) alive() bool { return f.node.plugged && f.plugging == f.node.pluggings }

// ioctl makes a request.
func (f *file) ioctl(request uint32, arg unsafe.Pointer) error {
	if !f.alive() {
		return syscall.ENODEV
	}
	if err := f.node.failing[request]; err != nil {
		return err
	}
	switch request {
	case abi.QueryCap:
		f.capability((*abi.Capability)(arg))
		return nil
	case abi.EnumFmt:
		return f.enumFormat((*abi.FmtDesc)(arg))
	case abi.EnumFrameSizes:
		return f.enumSize((*abi.FrameSizeEnum)(arg))
	case abi.EnumFrameIntervals:
		return f.enumInterval((*abi.FrameIntervalEnum)(arg))
	case abi.GetFmt, abi.SetFmt:
		return f.formatRequest(request, (*abi.Format)(arg))
	case abi.GetParm, abi.SetParm:
		return f.parm(request, (*abi.StreamParm)(arg))
	case abi.QueryExtCtrl, abi.QueryCtrl, abi.QueryMenu, abi.GetCtrl, abi.SetCtrl, abi.GetExtCtrls, abi.SetExtCtrls:
		return f.controlRequest(request, arg)
	}
	defer f.node.announce()
	switch request {
	case abi.ReqBufs:
		return f.requestBuffers((*abi.RequestBuffers)(arg))
	case abi.QueryBuf:
		return f.queryBuffer((*abi.Buffer)(arg))
	case abi.QBuf:
		return f.queueBuffer((*abi.Buffer)(arg))
	case abi.DQBuf:
		return f.dequeueBuffer((*abi.Buffer)(arg))
	case abi.StreamOn, abi.StreamOff:
		return f.stream(request == abi.StreamOn, uint32(*(*int32)(arg)))
	}
	return syscall.ENOTTY
}

// capability is VIDIOC_QUERYCAP.
func (f *file) capability(c *abi.Capability) {
	d := f.node.device
	*c = abi.Capability{Version: d.Version, Capabilities: d.Caps | abi.CapDeviceCaps, DeviceCaps: d.Caps}
	text(c.Driver[:], d.Driver)
	text(c.Card[:], d.Card)
	text(c.BusInfo[:], d.BusInfo)
}

// text writes a text as the kernel does, cut off and with a NUL behind.
func text(to []byte, s string) {
	clear(to)
	copy(to[:len(to)-1], s)
}

// enumFormat is VIDIOC_ENUM_FMT.
func (f *file) enumFormat(e *abi.FmtDesc) error {
	d := f.node.device
	if e.Type != d.bufType() || uint64(e.Index) >= uint64(len(d.Formats)) {
		return syscall.EINVAL
	}
	format := d.Formats[e.Index]
	e.PixelFormat, e.Flags = uint32(format.FourCC), 0
	if format.Compressed {
		e.Flags |= abi.FmtFlagCompressed
	}
	if format.Emulated {
		e.Flags |= abi.FmtFlagEmulated
	}
	if format.Description == "" {
		format.Description = format.FourCC.String()
	}
	text(e.Description[:], format.Description)
	return nil
}

// find is a format of the node.
func (n *Node) find(f uapi.FourCC) *Format {
	for i := range n.device.Formats {
		if n.device.Formats[i].FourCC == f {
			return &n.device.Formats[i]
		}
	}
	return nil
}

// enumSize is VIDIOC_ENUM_FRAMESIZES.
func (f *file) enumSize(e *abi.FrameSizeEnum) error {
	format := f.node.find(uapi.FourCC(e.PixelFormat))
	if format == nil || uint64(e.Index) >= uint64(len(format.Sizes)) {
		return syscall.EINVAL
	}
	s := &format.Sizes[e.Index]
	e.Stepwise = abi.FrameSizeStepwise{}
	switch {
	case s.discrete():
		e.Type = abi.FrameTypeDiscrete
		w, h := e.Discrete()
		*w, *h = s.Width.Min, s.Height.Min
		return nil
	case s.Width.Step <= 1 && s.Height.Step <= 1:
		e.Type = abi.FrameTypeContinuous
	default:
		e.Type = abi.FrameTypeStepwise
	}
	e.Stepwise = abi.FrameSizeStepwise{
		MinWidth: s.Width.Min, MaxWidth: s.Width.Max, StepWidth: max(s.Width.Step, 1),
		MinHeight: s.Height.Min, MaxHeight: s.Height.Max, StepHeight: max(s.Height.Step, 1),
	}
	return nil
}

// enumInterval is VIDIOC_ENUM_FRAMEINTERVALS.
func (f *file) enumInterval(e *abi.FrameIntervalEnum) error {
	format := f.node.find(uapi.FourCC(e.PixelFormat))
	if format == nil {
		return syscall.EINVAL
	}
	w, h, index := format.nearest(e.Width, e.Height)
	if w != e.Width || h != e.Height || index < 0 || uint64(e.Index) >= uint64(len(format.Sizes[index].Intervals)) {
		return syscall.EINVAL
	}
	v := format.Sizes[index].Intervals[e.Index]
	e.Type, e.Stepwise = abi.FrameTypeStepwise, abi.FrameIntervalStepwise{
		Min: abi.Fract(v.Min), Max: abi.Fract(v.Max), Step: abi.Fract(v.Step),
	}
	switch {
	case v.Min == v.Max:
		e.Type, e.Stepwise = abi.FrameTypeDiscrete, abi.FrameIntervalStepwise{Min: abi.Fract(v.Min)}
	case v.Step == uapi.Fraction{}:
		e.Type, e.Stepwise.Step = abi.FrameTypeContinuous, abi.Fract{Numerator: 1, Denominator: 1}
	}
	return nil
}

// setFormat sets what is nearest to a format asked for, and the interval that goes with it.
func (n *Node) setFormat(p uapi.Pix) {
	format := n.find(p.FourCC)
	if format == nil {
		format = &n.device.Formats[0]
	}
	w, h, index := format.nearest(p.Width, p.Height)
	if p.Width == 0 && index >= 0 { // switched on: the first
		index = 0
		w, h = format.Sizes[0].Width.Max, format.Sizes[0].Height.Max
	}
	line, image := format.layout(w, h)
	n.format = uapi.Pix{
		FourCC: format.FourCC, Width: w, Height: h, Field: abi.FieldNone,
		BytesPerLine: line, SizeImage: image, Planes: 1,
	}
	if n.device.MPlane {
		n.format.Planes = max(format.Planes, 1)
		n.format.SizeImage = image / n.format.Planes
	}
	n.interval = format.interval(index, n.interval)
}

// formatRequest is VIDIOC_G_FMT and VIDIOC_S_FMT.
func (f *file) formatRequest(request uint32, a *abi.Format) error {
	n := f.node
	if a.Type != n.device.bufType() || len(n.device.Formats) == 0 {
		return syscall.EINVAL
	}
	sp, mp := a.Pix(), a.PixMP()
	if request == abi.SetFmt {
		if n.busy || len(n.queue.buffers) > 0 {
			return syscall.EBUSY
		}
		want := uapi.Pix{FourCC: uapi.FourCC(sp.PixelFormat), Width: sp.Width, Height: sp.Height}
		if n.device.MPlane {
			want = uapi.Pix{FourCC: uapi.FourCC(mp.PixelFormat), Width: mp.Width, Height: mp.Height}
		}
		want.Width, want.Height = max(want.Width, 1), max(want.Height, 1)
		n.setFormat(want)
	}
	p := n.format
	if !n.device.MPlane {
		*sp = abi.PixFormat{
			Width: p.Width, Height: p.Height, PixelFormat: uint32(p.FourCC), Field: p.Field,
			BytesPerLine: p.BytesPerLine, SizeImage: p.SizeImage,
		}
		return nil
	}
	*mp = abi.PixFormatMPlane{
		Width: p.Width, Height: p.Height, PixelFormat: uint32(p.FourCC), Field: p.Field, NumPlanes: uint8(p.Planes),
	}
	for i := range p.Planes {
		mp.PlaneFmt[i].BytesPerLine, mp.PlaneFmt[i].SizeImage = p.BytesPerLine, p.SizeImage
	}
	return nil
}

// parm is VIDIOC_G_PARM and VIDIOC_S_PARM.
func (f *file) parm(request uint32, p *abi.StreamParm) error {
	n := f.node
	switch {
	case n.device.NoInterval:
		return syscall.ENOTTY
	case p.Type != n.device.bufType() || len(n.device.Formats) == 0:
		return syscall.EINVAL
	case request == abi.SetParm && (n.busy || n.queue.streaming):
		return syscall.EBUSY
	case request == abi.SetParm:
		format := n.find(n.format.FourCC)
		_, _, index := format.nearest(n.format.Width, n.format.Height)
		n.interval = format.interval(index, uapi.Fraction(p.Capture.TimePerFrame))
	}
	p.Capture = abi.CaptureParm{Capability: abi.ParmTimePerFrame, TimePerFrame: abi.Fract(n.interval)}
	return nil
}
