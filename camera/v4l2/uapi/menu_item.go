package uapi

// MenuItem is one choice of a menu control (VIDIOC_QUERYMENU).
type MenuItem struct {
	Index int64  // the control's value for it
	Name  string // the choice; of TypeIntegerMenu the number in decimal
	Value int64  // of TypeIntegerMenu: the number; else 0
}
