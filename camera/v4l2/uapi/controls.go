package uapi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"syscall"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// What is believed of a driver at most.
const (
	maxControls = 512
	maxMenu     = 64
)

// Controls lists the controls whose value is a number, by rising ID, 512 at most. With an
// error there is what came before it.
func (d *Device) Controls() ([]Control, error) {
	var list []Control
	last := uint32(0)
	for range maxControls {
		q, err := d.queryControl(last | abi.CtrlFlagNextCtrl)
		if errors.Is(err, syscall.EINVAL) && last == 0 {
			return d.oldControls()
		}
		if err != nil {
			return list, unlessEnd(err, syscall.ENOTTY)
		}
		if q.ID <= last {
			return list, nil // goes round in circles
		}
		last = q.ID
		c, ok, err := d.control(&q)
		if ok {
			list = append(list, c)
		}
		if err != nil || last&abi.CtrlFlagNextCtrl != 0 {
			return list, err
		}
	}
	return list, nil
}

// oldControls lists the usual controls of a driver that cannot tell which is the next.
func (d *Device) oldControls() ([]Control, error) {
	var list []Control
	for id := uint32(abi.CIDBase); id < abi.CIDLastP1; id++ {
		q, err := d.queryControl(id)
		switch {
		case errors.Is(err, syscall.EINVAL):
			continue
		case err != nil:
			return list, unlessEnd(err, syscall.ENOTTY)
		}
		q.ID = id
		c, ok, err := d.control(&q)
		if ok {
			list = append(list, c)
		}
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// queryControl describes a control by the newer request, else by the older one.
func (d *Device) queryControl(id uint32) (abi.QueryExtControl, error) {
	q := abi.QueryExtControl{ID: id}
	err := ioctl(d, abi.QueryExtCtrl, "VIDIOC_QUERY_EXT_CTRL", &q)
	if !errors.Is(err, syscall.ENOTTY) {
		return q, err
	}
	old := abi.QueryControl{ID: id}
	if err := ioctl(d, abi.QueryCtrl, "VIDIOC_QUERYCTRL", &old); err != nil {
		return abi.QueryExtControl{}, err
	}
	q = abi.QueryExtControl{
		ID: old.ID, Type: old.Type, Name: old.Name, Flags: old.Flags,
		Minimum: int64(old.Minimum), Maximum: int64(old.Maximum), DefaultValue: int64(old.DefaultValue),
		Step: uint64(uint32(old.Step)),
	}
	if old.Type == abi.CtrlTypeBitmask { // unsigned
		q.Minimum, q.Maximum, q.DefaultValue = 0, int64(uint32(old.Maximum)), int64(uint32(old.DefaultValue))
	}
	return q, nil
}

// control reads a control's description, with its menu, or says that it is none for us.
func (d *Device) control(q *abi.QueryExtControl) (Control, bool, error) {
	c := Control{
		ID:   q.ID,
		Type: ControlType(q.Type),
		Name: text(q.Name[:]),
		Min:  q.Minimum, Max: q.Maximum, Default: q.DefaultValue,
		Step:  int64(min(q.Step, math.MaxInt64)),
		Flags: q.Flags,
	}
	skipped := q.Flags&(abi.CtrlFlagDisabled|abi.CtrlFlagHasPayload) != 0 || q.NrOfDims != 0
	if skipped || !c.Type.number() || c.Min > c.Max {
		return Control{}, false, nil
	}
	if c.Type == TypeMenu || c.Type == TypeIntegerMenu {
		menu, err := d.menu(c)
		c.Menu = menu
		return c, true, err
	}
	return c, true, nil
}

// menu asks for the choices of a menu, 64 at most. Drivers leave some out.
func (d *Device) menu(c Control) ([]MenuItem, error) {
	var items []MenuItem
	first := max(c.Min, 0)
	for i := first; i <= min(c.Max, math.MaxUint32) && i-first < maxMenu; i++ {
		m := abi.QueryMenuItem{ID: c.ID, Index: uint32(i)}
		err := ioctl(d, abi.QueryMenu, "VIDIOC_QUERYMENU", &m)
		switch {
		case errors.Is(err, syscall.EINVAL):
		case errors.Is(err, syscall.ENOTTY):
			return items, nil
		case err != nil:
			return items, err
		case c.Type == TypeIntegerMenu:
			items = append(items, MenuItem{Index: i, Name: strconv.FormatInt(*m.Value(), 10), Value: *m.Value()})
		default:
			items = append(items, MenuItem{Index: i, Name: text(m.Name[:])})
		}
	}
	return items, nil
}

// Control is a control's value. The error of a control that the device does not have wraps
// syscall.EINVAL; of one that has no value that is a number, errors.ErrUnsupported.
func (d *Device) Control(id uint32) (int64, error) {
	q, err := d.knownControl(id)
	if err != nil {
		return 0, err
	}
	if ControlType(q.Type) == TypeButton {
		return 0, fmt.Errorf("%s: control %#x is a button and has no value: %w", d.path, id, errors.ErrUnsupported)
	}
	v := []abi.ExtControl{{ID: id}}
	err = d.extControls(abi.GetExtCtrls, "VIDIOC_G_EXT_CTRLS", v)
	if err == nil {
		return value(ControlType(q.Type), v[0].Value), nil
	}
	if !oldWay(err, q) {
		return 0, err
	}
	old := abi.Control{ID: id}
	if err := ioctl(d, abi.GetCtrl, "VIDIOC_G_CTRL", &old); err != nil {
		return 0, err
	}
	if ControlType(q.Type) == TypeBitmask {
		return int64(uint32(old.Value)), nil
	}
	return int64(old.Value), nil
}

// SetControl sets a control, or presses a button, whose value does not matter. The errors
// are those of Control, and syscall.ERANGE where the value cannot be the control's.
func (d *Device) SetControl(id uint32, value int64) error {
	q, err := d.knownControl(id)
	if err != nil {
		return err
	}
	v := []abi.ExtControl{{ID: id}}
	switch ControlType(q.Type) {
	case TypeInteger64:
		binary.NativeEndian.PutUint64(v[0].Value[:], uint64(value))
	case TypeBitmask:
		if value < 0 || value > math.MaxUint32 {
			return fmt.Errorf("%s: %d is no value of control %#x: %w", d.path, value, id, syscall.ERANGE)
		}
		binary.NativeEndian.PutUint32(v[0].Value[:], uint32(value))
	default:
		if value < math.MinInt32 || value > math.MaxInt32 {
			return fmt.Errorf("%s: %d is no value of control %#x: %w", d.path, value, id, syscall.ERANGE)
		}
		binary.NativeEndian.PutUint32(v[0].Value[:], uint32(int32(value)))
	}
	err = d.extControls(abi.SetExtCtrls, "VIDIOC_S_EXT_CTRLS", v)
	if err == nil || !oldWay(err, q) {
		return err
	}
	return ioctl(d, abi.SetCtrl, "VIDIOC_S_CTRL", &abi.Control{ID: id, Value: int32(value)})
}

// knownControl describes a control whose value is a number.
func (d *Device) knownControl(id uint32) (abi.QueryExtControl, error) {
	q, err := d.queryControl(id)
	if err != nil {
		return q, err
	}
	if !ControlType(q.Type).number() || q.Flags&abi.CtrlFlagHasPayload != 0 {
		return q, fmt.Errorf("%s: control %#x is no number: %w", d.path, id, errors.ErrUnsupported)
	}
	return q, nil
}

// extControls gets or sets one control by the newer request. Old drivers want the class
// of the control said.
func (d *Device) extControls(request uint32, name string, v []abi.ExtControl) error {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(&v[0])
	e := abi.ExtControls{Which: v[0].ID & abi.CIDClassMask}
	e.SetControls(v)
	return ioctl(d, request, name, &e)
}

// oldWay says whether a request for a control failed as it does in drivers that know the
// older one alone, which has no 64-bit values.
func oldWay(err error, q abi.QueryExtControl) bool {
	return ControlType(q.Type) != TypeInteger64 && (errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.EINVAL))
}

// value reads the union of a control's value.
func value(t ControlType, raw [8]byte) int64 {
	switch t {
	case TypeInteger64:
		return int64(binary.NativeEndian.Uint64(raw[:]))
	case TypeBitmask:
		return int64(binary.NativeEndian.Uint32(raw[:]))
	default:
		return int64(int32(binary.NativeEndian.Uint32(raw[:])))
	}
}
