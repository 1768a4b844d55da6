package uapi_test

import (
	"errors"
	"math"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

const (
	brightness = abi.CIDBase
	power      = abi.CIDBase + 24 // a menu
	mask       = abi.CIDCameraClassBase + 1
	link       = abi.CIDCameraClassBase + 2 // 64 bits
)

func controls() []uapi.Control {
	return []uapi.Control{
		{ID: brightness, Type: uapi.TypeInteger, Name: "Brightness", Min: -64, Max: 64, Step: 1, Default: -3},
		{ID: power, Type: uapi.TypeMenu, Name: "Power Line Frequency", Max: 3, Default: 1, Menu: []uapi.MenuItem{
			{Index: 0, Name: "Disabled"}, {Index: 1, Name: "50 Hz"}, {Index: 3, Name: "Auto"},
		}},
		{ID: uapi.ControlForceKeyFrame, Type: uapi.TypeButton, Name: "Force Key Frame", Flags: abi.CtrlFlagWriteOnly | abi.CtrlFlagExecuteOnWrite},
		{ID: mask, Type: uapi.TypeBitmask, Name: "Mask", Max: 0xffffffff, Default: 0x80000001},
		{ID: link, Type: uapi.TypeInteger64, Name: "Link", Min: 1 << 33, Max: 1 << 40, Step: 1, Default: 1 << 34},
		{ID: link + 1, Type: uapi.TypeIntegerMenu, Name: "Lanes", Min: 1, Max: 2, Default: 1, Menu: []uapi.MenuItem{
			{Index: 1, Name: "-5000000000", Value: -5000000000}, {Index: 2, Name: "2", Value: 2},
		}},
	}
}

func TestControls_AreListedReadAndSet(t *testing.T) {
	var called []fakev4l2.Set
	d, node, _ := open(t, fakev4l2.Device{Controls: controls(), OnSet: func(s fakev4l2.Set) { called = append(called, s) }})
	want := controls()
	got, err := d.Controls()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[uint32]uapi.Control{}
	for i, c := range got {
		byID[c.ID] = c
		if i > 0 && got[i-1].ID >= c.ID {
			t.Errorf("%#x comes before %#x", got[i-1].ID, c.ID)
		}
	}
	for _, c := range want {
		if diff := cmp.Diff(c, byID[c.ID]); diff != "" {
			t.Error(diff)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d controls, want %d", len(got), len(want))
	}

	for id, want := range map[uint32]int64{brightness: -3, power: 1, mask: 0x80000001, link: 1 << 34} {
		if v, err := d.Control(id); err != nil || v != want {
			t.Errorf("control %#x is %d, %v; want %d", id, v, err, want)
		}
	}
	if _, err := d.Control(uapi.ControlForceKeyFrame); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the value of a button: %v", err)
	}
	sets := []fakev4l2.Set{{ID: brightness, Value: -40}, {ID: power, Value: 3}, {ID: uapi.ControlForceKeyFrame, Value: 1}, {ID: mask, Value: 0xf0000000}, {ID: link, Value: 1 << 35}}
	for _, s := range sets {
		if err := d.SetControl(s.ID, s.Value); err != nil {
			t.Errorf("setting %#x: %v", s.ID, err)
		}
		if v, err := d.Control(s.ID); s.ID != uapi.ControlForceKeyFrame && (err != nil || v != s.Value) {
			t.Errorf("control %#x is %d, %v; want %d", s.ID, v, err, s.Value)
		}
	}
	if diff := cmp.Diff(sets, node.Sets()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sets, called); diff != "" {
		t.Error(diff)
	}
}

func TestControls_OfOldDrivers(t *testing.T) {
	d, node, _ := open(t, fakev4l2.Device{Controls: append(controls()[:2], controls()[3]), OldControls: true})
	want := append(controls()[:2], controls()[3])
	got, err := d.Controls()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for id, want := range map[uint32]int64{brightness: -3, mask: 0x80000001} {
		if v, err := d.Control(id); err != nil || v != want {
			t.Errorf("control %#x is %d, %v; want %d", id, v, err, want)
		}
	}
	for id, want := range map[uint32]int64{brightness: 7, mask: 0xf0000000} {
		if err := d.SetControl(id, want); err != nil || node.Value(id) != want {
			t.Errorf("control %#x is set to %d: %v", id, node.Value(id), err)
		}
	}
}

func TestControls_WithoutNextAreLookedForOneByOne(t *testing.T) {
	d, node, _ := open(t, fakev4l2.Device{Controls: controls()[:2]})
	asked := false
	node.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
		if r != abi.QueryExtCtrl {
			return err
		}
		// By the answer one cannot see what was asked: the first is asked for by "next".
		if q := (*abi.QueryExtControl)(arg); !asked && q.ID == brightness {
			asked = true
			return syscall.EINVAL
		}
		return err
	})
	got, err := d.Controls()
	if diff := cmp.Diff(controls()[:2], got); diff != "" || err != nil || !asked {
		t.Error(asked, err, diff)
	}
}

func TestControls_ThatAreNoNumbersAreLeftOut(t *testing.T) {
	bad := []uapi.Control{
		{ID: brightness, Type: abi.CtrlTypeString},
		{ID: brightness + 1, Type: abi.CtrlTypeClass},
		{ID: brightness + 2, Type: 0x106},
		{ID: brightness + 3, Type: uapi.TypeInteger, Flags: abi.CtrlFlagDisabled},
		{ID: brightness + 4, Type: uapi.TypeInteger, Flags: abi.CtrlFlagHasPayload},
		{ID: brightness + 5, Type: uapi.TypeInteger, Min: 3, Max: 2},
	}
	d, _, _ := open(t, fakev4l2.Device{Controls: bad})
	if got, err := d.Controls(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := d.Control(brightness); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a text's value: %v", err)
	}
	if err := d.SetControl(brightness+4, 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("setting an array: %v", err)
	}
}

func TestControls_OfAHostileDriverAreBounded(t *testing.T) {
	d, node, _ := open(t, fakev4l2.Device{Controls: controls()})
	requests := 0
	endless := func(kind uint32, low, high int64) {
		last := uint32(brightness)
		requests = 0
		node.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
			requests++
			switch r {
			case abi.QueryExtCtrl:
				last++
				*(*abi.QueryExtControl)(arg) = abi.QueryExtControl{ID: last, Type: kind, Minimum: low, Maximum: high, Step: math.MaxUint64}
				return nil
			case abi.QueryMenu:
				return nil
			}
			return err
		})
	}
	endless(abi.CtrlTypeInteger, 0, 9)
	if got, err := d.Controls(); err != nil || len(got) != 512 || got[0].Step != math.MaxInt64 {
		t.Errorf("%d controls, %v", len(got), err)
	}
	for _, high := range []int64{math.MaxInt64, math.MaxUint32, 1 << 20} {
		endless(abi.CtrlTypeMenu, math.MinInt64, high)
		got, err := d.Controls()
		if err != nil || len(got) != 512 || len(got[0].Menu) != 64 || requests != 512*65 {
			t.Errorf("%d controls, %d requests, %v", len(got), requests, err)
		}
	}
	endless(abi.CtrlTypeMenu, math.MaxInt64-1, math.MaxInt64)
	if got, err := d.Controls(); err != nil || len(got[0].Menu) != 0 || requests != 512 {
		t.Errorf("a menu beyond 32 bits: %d choices, %d requests, %v", len(got[0].Menu), requests, err)
	}

	// Always the same one.
	answer(node, abi.QueryExtCtrl, func(q *abi.QueryExtControl) { q.ID, q.Type = brightness, abi.CtrlTypeInteger })
	if got, err := d.Controls(); err != nil || len(got) != 1 {
		t.Errorf("%d controls, %v", len(got), err)
	}
}

func TestSetControl_RefusesWhatCannotBe(t *testing.T) {
	d, node, _ := open(t, fakev4l2.Device{Controls: controls()})
	for _, c := range []struct {
		id    uint32
		value int64
		want  error
	}{
		{brightness, 1 << 32, syscall.ERANGE},
		{mask, -1, syscall.ERANGE},
		{mask, 1 << 32, syscall.ERANGE},
		{power, 2, syscall.EINVAL},
		{power, 4, syscall.ERANGE},
		{uapi.ControlBitrate, 1, syscall.EINVAL},
	} {
		if err := d.SetControl(c.id, c.value); !errors.Is(err, c.want) {
			t.Errorf("setting %#x to %d: %v, want %v", c.id, c.value, err, c.want)
		}
	}
	if sets := node.Sets(); len(sets) != 0 {
		t.Errorf("something was set: %v", sets)
	}
	if _, err := d.Control(uapi.ControlBitrate); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a control there is not: %v", err)
	}
	node.Fail(abi.SetExtCtrls, syscall.EBUSY)
	if err := d.SetControl(brightness, 1); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("setting a grabbed control: %v", err)
	}
}
