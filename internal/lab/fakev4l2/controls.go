package fakev4l2

import (
	"encoding/binary"
	"math"
	"syscall"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// controlRequest makes a request about controls, as the control framework answers it.
func (f *file) controlRequest(request uint32, arg unsafe.Pointer) error {
	switch request {
	case abi.QueryCtrl:
		return f.queryControl((*abi.QueryControl)(arg))
	case abi.QueryMenu:
		return f.queryMenu((*abi.QueryMenuItem)(arg))
	case abi.GetCtrl, abi.SetCtrl:
		return f.oldControl(request, (*abi.Control)(arg))
	}
	if f.node.device.OldControls {
		return syscall.ENOTTY
	}
	if request == abi.QueryExtCtrl {
		return f.queryExtControl((*abi.QueryExtControl)(arg))
	}
	return f.extControls(request, (*abi.ExtControls)(arg))
}

// control finds a control by its ID, or the one after it.
func (n *Node) control(id uint32) *uapi.Control {
	for i := range n.device.Controls {
		c := &n.device.Controls[i]
		if id&abi.CtrlFlagNextCtrl != 0 && c.ID > id&^abi.CtrlFlagNextCtrl || c.ID == id {
			return c
		}
	}
	return nil
}

// flags are a control's, with what buttons always have.
func flags(c *uapi.Control) uint32 {
	if c.Type == uapi.TypeButton {
		return c.Flags | abi.CtrlFlagWriteOnly | abi.CtrlFlagExecuteOnWrite
	}
	return c.Flags
}

// queryExtControl is VIDIOC_QUERY_EXT_CTRL.
func (f *file) queryExtControl(q *abi.QueryExtControl) error {
	c := f.node.control(q.ID)
	if c == nil {
		return syscall.EINVAL
	}
	*q = abi.QueryExtControl{
		ID: c.ID, Type: uint32(c.Type), Minimum: c.Min, Maximum: c.Max, Step: uint64(c.Step),
		DefaultValue: c.Default, Flags: flags(c), ElemSize: 4, Elems: 1,
	}
	if c.Type == uapi.TypeInteger64 {
		q.ElemSize = 8
	}
	text(q.Name[:], c.Name)
	return nil
}

// queryControl is VIDIOC_QUERYCTRL, which says no range of a 64-bit control.
func (f *file) queryControl(q *abi.QueryControl) error {
	c := f.node.control(q.ID)
	if c == nil {
		return syscall.EINVAL
	}
	*q = abi.QueryControl{ID: c.ID, Type: uint32(c.Type), Flags: flags(c)}
	if c.Type != uapi.TypeInteger64 {
		q.Minimum, q.Maximum, q.Step, q.DefaultValue = int32(c.Min), int32(c.Max), int32(c.Step), int32(c.Default)
	}
	text(q.Name[:], c.Name)
	return nil
}

// queryMenu is VIDIOC_QUERYMENU.
func (f *file) queryMenu(m *abi.QueryMenuItem) error {
	c := f.node.control(m.ID)
	if c == nil {
		return syscall.EINVAL
	}
	for _, item := range c.Menu {
		if item.Index != int64(m.Index) {
			continue
		}
		text(m.Name[:], item.Name)
		if c.Type == uapi.TypeIntegerMenu {
			*m.Value() = item.Value
		}
		return nil
	}
	return syscall.EINVAL
}

// oldControl is VIDIOC_G_CTRL and VIDIOC_S_CTRL.
func (f *file) oldControl(request uint32, a *abi.Control) error {
	c := f.node.control(a.ID)
	if c == nil || c.ID != a.ID || c.Type == uapi.TypeInteger64 {
		return syscall.EINVAL
	}
	if request == abi.SetCtrl {
		value := int64(a.Value)
		if c.Type == uapi.TypeBitmask {
			value = int64(uint32(a.Value))
		}
		return f.set(c, value)
	}
	value, err := f.get(c)
	a.Value = int32(value)
	return err
}

// extControls is VIDIOC_G_EXT_CTRLS and VIDIOC_S_EXT_CTRLS.
func (f *file) extControls(request uint32, a *abi.ExtControls) error {
	if a.Controls == 0 || a.Count == 0 {
		return nil
	}
	for i := range a.List() {
		v := &a.List()[i]
		a.ErrorIdx = uint32(i)
		c := f.node.control(v.ID)
		if c == nil || c.ID != v.ID || a.Which != 0 && a.Which != v.ID&abi.CIDClassMask {
			a.ErrorIdx = a.Count
			return syscall.EINVAL
		}
		if request == abi.SetExtCtrls {
			if err := f.set(c, read(c, v)); err != nil {
				return err
			}
		}
		value, err := f.get(c)
		switch {
		case err == nil:
			write(c, v, value)
		case request == abi.GetExtCtrls:
			return err
		}
	}
	return nil
}

// read is the value in a request.
func read(c *uapi.Control, v *abi.ExtControl) int64 {
	switch c.Type {
	case uapi.TypeInteger64:
		return int64(binary.NativeEndian.Uint64(v.Value[:]))
	case uapi.TypeBitmask:
		return int64(binary.NativeEndian.Uint32(v.Value[:]))
	default:
		return int64(int32(binary.NativeEndian.Uint32(v.Value[:])))
	}
}

// write puts a value into an answer: as the kernel does, not more of it than there is.
func write(c *uapi.Control, v *abi.ExtControl, value int64) {
	if c.Type == uapi.TypeInteger64 {
		binary.NativeEndian.PutUint64(v.Value[:], uint64(value))
		return
	}
	binary.NativeEndian.PutUint32(v.Value[:], uint32(value))
}

// get is a control's value.
func (f *file) get(c *uapi.Control) (int64, error) {
	if flags(c)&abi.CtrlFlagWriteOnly != 0 {
		return 0, syscall.EACCES
	}
	return f.node.values[c.ID], nil
}

// set sets a control to what the framework makes of a value.
func (f *file) set(c *uapi.Control, value int64) error {
	switch {
	case c.Flags&abi.CtrlFlagReadOnly != 0:
		return syscall.EACCES
	case c.Flags&abi.CtrlFlagGrabbed != 0:
		return syscall.EBUSY
	}
	switch c.Type {
	case uapi.TypeInteger, uapi.TypeInteger64:
		value = rounded(c, value)
	case uapi.TypeBoolean:
		value = min(value&math.MaxUint32, 1)
	case uapi.TypeMenu, uapi.TypeIntegerMenu:
		if value < c.Min || value > c.Max {
			return syscall.ERANGE
		}
		for _, item := range c.Menu {
			if item.Index == value {
				return f.store(c, value)
			}
		}
		return syscall.EINVAL
	case uapi.TypeBitmask:
		value &= c.Max
	case uapi.TypeButton:
	}
	return f.store(c, value)
}

func (f *file) store(c *uapi.Control, value int64) error {
	set := Set{ID: c.ID, Value: value}
	f.node.values[c.ID] = value
	f.node.sets, f.sets = append(f.node.sets, set), append(f.sets, set)
	f.node.announce()
	return nil
}

// rounded is the value of a range that is nearest.
func rounded(c *uapi.Control, value int64) int64 {
	value = min(max(value, c.Min), c.Max)
	step := uint64(max(c.Step, 1))
	offset := (uint64(value-c.Min) + step/2) / step * step
	return min(c.Min+int64(offset), c.Max)
}
