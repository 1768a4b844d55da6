package uapi

import "github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"

// ControlType is what a control's value means (enum v4l2_ctrl_type).
type ControlType uint32

// The types of the controls that Device.Controls lists: those whose value is a number.
const (
	TypeInteger     ControlType = abi.CtrlTypeInteger
	TypeBoolean     ControlType = abi.CtrlTypeBoolean
	TypeMenu        ControlType = abi.CtrlTypeMenu   // the value is a MenuItem's index
	TypeButton      ControlType = abi.CtrlTypeButton // setting it does something; it has no value
	TypeInteger64   ControlType = abi.CtrlTypeInteger64
	TypeBitmask     ControlType = abi.CtrlTypeBitmask
	TypeIntegerMenu ControlType = abi.CtrlTypeIntegerMenu // as TypeMenu; the items are numbers
)

// String names the type.
func (t ControlType) String() string {
	switch t {
	case TypeInteger:
		return "integer"
	case TypeBoolean:
		return "boolean"
	case TypeMenu:
		return "menu"
	case TypeButton:
		return "button"
	case TypeInteger64:
		return "integer64"
	case TypeBitmask:
		return "bitmask"
	case TypeIntegerMenu:
		return "integer menu"
	}
	return "unknown"
}

// number says whether the value of a control of this type is a number, or the control a
// button.
func (t ControlType) number() bool { return t.String() != "unknown" }
