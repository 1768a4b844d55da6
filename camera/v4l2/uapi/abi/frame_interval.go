package abi

// FrameIntervalEnum is struct v4l2_frmivalenum. A discrete interval is Stepwise.Min.
type FrameIntervalEnum struct {
	Index       uint32
	PixelFormat uint32
	Width       uint32
	Height      uint32
	Type        uint32
	Stepwise    FrameIntervalStepwise
	_           [2]uint32
}

// FrameIntervalStepwise is struct v4l2_frmival_stepwise.
type FrameIntervalStepwise struct {
	Min  Fract
	Max  Fract
	Step Fract
}

// Fract is struct v4l2_fract.
type Fract struct {
	Numerator   uint32
	Denominator uint32
}
