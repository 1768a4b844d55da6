package abi

// FrameSizeEnum is struct v4l2_frmsizeenum. Of discrete sizes MinWidth is the width and
// MaxWidth the height: see Discrete.
type FrameSizeEnum struct {
	Index       uint32
	PixelFormat uint32
	Type        uint32
	Stepwise    FrameSizeStepwise
	_           [2]uint32
}

// Discrete is the union as struct v4l2_frmsize_discrete: the width and the height.
func (e *FrameSizeEnum) Discrete() (width, height *uint32) {
	return &e.Stepwise.MinWidth, &e.Stepwise.MaxWidth
}

// FrameSizeStepwise is struct v4l2_frmsize_stepwise.
type FrameSizeStepwise struct {
	MinWidth   uint32
	MaxWidth   uint32
	StepWidth  uint32
	MinHeight  uint32
	MaxHeight  uint32
	StepHeight uint32
}
