package uapi

import "github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"

// Control is something that can be set on a device (VIDIOC_QUERY_EXT_CTRL).
type Control struct {
	ID      uint32 // Control…
	Type    ControlType
	Name    string
	Min     int64
	Max     int64
	Step    int64 // at least 0
	Default int64
	Flags   uint32     // abi.CtrlFlag…
	Menu    []MenuItem // of TypeMenu and TypeIntegerMenu, by rising index; others have none
}

// Writable says whether the control can be set in principle.
func (c Control) Writable() bool { return c.Flags&(abi.CtrlFlagReadOnly|abi.CtrlFlagDisabled) == 0 }

// Readable says whether the control has a value that can be asked for.
func (c Control) Readable() bool {
	return c.Type != TypeButton && c.Flags&(abi.CtrlFlagWriteOnly|abi.CtrlFlagDisabled) == 0
}
