package abi

// Control is struct v4l2_control.
type Control struct {
	ID    uint32
	Value int32
}

// QueryControl is struct v4l2_queryctrl.
type QueryControl struct {
	ID           uint32
	Type         uint32
	Name         [32]byte
	Minimum      int32
	Maximum      int32
	Step         int32
	DefaultValue int32
	Flags        uint32
	_            [2]uint32
}

// QueryExtControl is struct v4l2_query_ext_ctrl.
type QueryExtControl struct {
	ID           uint32
	Type         uint32
	Name         [32]byte
	Minimum      int64
	Maximum      int64
	Step         uint64
	DefaultValue int64
	Flags        uint32
	ElemSize     uint32
	Elems        uint32
	NrOfDims     uint32
	Dims         [4]uint32
	_            [32]uint32
}

// QueryMenuItem is struct v4l2_querymenu.
type QueryMenuItem struct {
	ID    uint32
	Index uint32
	Name  [32]byte // a union: see Value
	_     uint32
}

// Value is the union of an integer menu's item.
func (m *QueryMenuItem) Value() *int64 { return overlay[int64](&m.Name) }

// ExtControls is struct v4l2_ext_controls.
type ExtControls struct {
	Which     uint32
	Count     uint32
	ErrorIdx  uint32
	RequestFD int32
	_         uint32
	Controls  uintptr // see SetControls
}

// SetControls makes Controls point to c. The caller keeps them where they are
// (runtime.Pinner) as long as the kernel may look.
func (e *ExtControls) SetControls(c []ExtControl) {
	e.Controls, e.Count = address(c), uint32(len(c))
}

// List is what SetControls set, for a driver in Go. Count must not have grown since.
func (e *ExtControls) List() []ExtControl {
	return behind[ExtControl](&e.Controls, e.Count)
}

// ExtControl is struct v4l2_ext_control, which is packed: its 64-bit value lies across
// two words.
type ExtControl struct {
	ID    uint32
	Size  uint32
	_     uint32
	Value [8]byte // a union, in the byte order of the machine
}
