package uapi_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// stream opens a device and starts it with count buffers.
func stream(t *testing.T, config fakev4l2.Device, count int) (*uapi.Device, *fakev4l2.Node, *fakev4l2.Kernel) {
	t.Helper()
	d, node, k := open(t, config)
	kind := uapi.Capture
	if config.MPlane {
		kind = uapi.CaptureMPlane
	}
	if n, err := d.Map(kind, count); err != nil || n != count {
		t.Fatalf("%d buffers, %v; want %d", n, err, count)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	return d, node, k
}

func small(multi bool) fakev4l2.Device {
	return fakev4l2.Device{MPlane: multi, Formats: []fakev4l2.Format{
		{FourCC: uapi.H264, Compressed: true, Sizes: []fakev4l2.Size{fakev4l2.Discrete(32, 32, 30)}},
	}}
}

func TestStream_FramesComeAsTheDriverDeliversThem(t *testing.T) {
	for name, multi := range map[string]bool{"single-planar": false, "multi-planar": true} {
		t.Run(name, func(t *testing.T) {
			d, node, k := stream(t, small(multi), 4)
			if node.Queued() != 4 || k.Mappings() != 4 {
				t.Fatalf("%d buffers queued, %d mapped", node.Queued(), k.Mappings())
			}
			if _, err := d.Dequeue(); err != syscall.EAGAIN { //nolint:errorlint // callers compare it in a loop
				t.Errorf("before the first frame: %v", err)
			}
			at := 5*time.Second + 7*time.Microsecond
			node.Deliver([]byte("first"), fakev4l2.WithTime(at+900), fakev4l2.WithFlags(abi.BufFlagKeyFrame))
			node.Deliver([]byte("second"), fakev4l2.WithFlags(abi.BufFlagError|abi.BufFlagTimestampCopy), fakev4l2.WithTime(at), fakev4l2.WithSequence(9))
			node.Deliver([]byte("third"), fakev4l2.WithoutTime(), fakev4l2.WithFlags(abi.BufFlagLast))
			if e, err := d.Wait(0); e != uapi.Ready || err != nil {
				t.Errorf("waiting: %v, %v", e, err)
			}
			var got []uapi.Frame
			for range 3 {
				f, err := d.Dequeue()
				if err != nil {
					t.Fatal(err)
				}
				if cap(f.Data) != len(f.Data) {
					t.Error("appending to the data would write into the mapping")
				}
				f.Data = bytes.Clone(f.Data)
				got = append(got, f)
			}
			want := []uapi.Frame{
				{Index: 0, Data: []byte("first"), Time: at, HasTime: true, Key: true},
				{Index: 1, Data: []byte("second"), Sequence: 9, Time: at, HasTime: true, Damaged: true},
				{Index: 2, Data: []byte("third"), Sequence: 10, Last: true},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if err := d.Queue(1); err != nil || node.Queued() != 2 {
				t.Errorf("giving a buffer back: %v, %d queued", err, node.Queued())
			}
			if err := d.Queue(1); err == nil {
				t.Error("a buffer is queued twice")
			}
			for _, index := range []int{-1, 4, math.MaxInt} {
				if err := d.Queue(index); err == nil {
					t.Errorf("buffer %d is queued", index)
				}
			}
		})
	}
}

func TestStream_LostFramesShowInTheSequence(t *testing.T) {
	d, node, _ := stream(t, small(false), 1)
	for i, want := range []bool{true, false, false} {
		if node.Deliver([]byte{byte(i)}) != want {
			t.Errorf("frame %d delivered: %t", i, !want)
		}
	}
	f, err := d.Dequeue()
	if err != nil || f.Sequence != 0 {
		t.Fatal(f, err)
	}
	if err := d.Queue(f.Index); err != nil {
		t.Fatal(err)
	}
	node.Deliver([]byte{3})
	if f, err = d.Dequeue(); err != nil || f.Sequence != 3 || !bytes.Equal(f.Data, []byte{3}) {
		t.Errorf("%v, %v; want sequence 3", f, err)
	}
}

func TestStream_WrongAnswersOfTheDriver(t *testing.T) {
	tests := map[string]struct {
		multi   bool
		option  fakev4l2.DeliverOption
		want    uapi.Frame
		wantErr error
	}{
		"an index out of range":   {option: fakev4l2.WithIndex(2), wantErr: uapi.ErrAnswer},
		"an index of 2^32-1":      {option: fakev4l2.WithIndex(-1), wantErr: uapi.ErrAnswer},
		"too long":                {option: fakev4l2.WithBytesUsed(1 << 30), want: uapi.Frame{Data: make([]byte, 4096), Damaged: true}},
		"no data":                 {option: fakev4l2.WithBytesUsed(0), want: uapi.Frame{}},
		"too long in a plane":     {multi: true, option: fakev4l2.WithBytesUsed(1 << 30), want: uapi.Frame{Data: make([]byte, 4096), Damaged: true}},
		"beginning later":         {multi: true, option: fakev4l2.WithDataOffset(4090), want: uapi.Frame{Data: []byte("abc")}},
		"beginning behind":        {multi: true, option: fakev4l2.WithDataOffset(1 << 31), want: uapi.Frame{Damaged: true}},
		"negative seconds":        {option: fakev4l2.WithTimeval(-1, 0), want: uapi.Frame{Data: []byte("abc")}},
		"too many microseconds":   {option: fakev4l2.WithTimeval(1, 1e6), want: uapi.Frame{Data: []byte("abc")}},
		"no time in spite of all": {option: fakev4l2.WithTimeval(0, 0), want: uapi.Frame{Data: []byte("abc")}},
		"two kinds of time":       {option: fakev4l2.WithFlags(abi.BufFlagTimestampMask), want: uapi.Frame{Data: []byte("abc")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, node, _ := stream(t, small(test.multi), 2)
			node.Deliver([]byte("abc"), test.option)
			got, err := d.Dequeue()
			if !errors.Is(err, test.wantErr) {
				t.Fatalf("%v, want %v", err, test.wantErr)
			}
			if len(got.Data) != len(test.want.Data) || len(got.Data) <= 3 && !bytes.Equal(got.Data, test.want.Data) {
				t.Errorf("%d bytes, want %d", len(got.Data), len(test.want.Data))
			}
			timed := len(got.Data) == 0 || len(got.Data) > 3 || name == "beginning later"
			if got.Damaged != test.want.Damaged || got.HasTime != (timed && err == nil) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestStream_ABufferGivenTwiceIsAnError(t *testing.T) {
	d, node, _ := stream(t, small(false), 2)
	node.Deliver([]byte("a"))
	node.Deliver([]byte("b"), fakev4l2.WithIndex(0))
	if _, err := d.Dequeue(); err != nil {
		t.Fatal(err)
	}
	if f, err := d.Dequeue(); !errors.Is(err, uapi.ErrAnswer) {
		t.Errorf("%v, %v", f, err)
	}
}

func TestMap_RefusesBuffersThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		multi  bool
		change func(r uint32, arg unsafe.Pointer)
	}{
		"none": {change: func(r uint32, arg unsafe.Pointer) {
			if r == abi.ReqBufs {
				(*abi.RequestBuffers)(arg).Count = 0
			}
		}},
		"empty": {change: func(r uint32, arg unsafe.Pointer) {
			if r == abi.QueryBuf {
				(*abi.Buffer)(arg).Length = 0
			}
		}},
		"beyond 64 MiB": {change: func(r uint32, arg unsafe.Pointer) {
			if r == abi.QueryBuf && (*abi.Buffer)(arg).Index == 1 {
				(*abi.Buffer)(arg).Length = 64<<20 + 1
			}
		}},
		"a plane beyond 64 MiB": {multi: true, change: func(r uint32, arg unsafe.Pointer) {
			if r == abi.QueryBuf {
				(*abi.Buffer)(arg).Planes()[0].Length = 1 << 31
			}
		}},
		"of 4 billion planes": {multi: true, change: func(r uint32, arg unsafe.Pointer) {
			if r == abi.QueryBuf {
				(*abi.Buffer)(arg).Length = 1<<32 - 1
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d, node, k := open(t, small(c.multi))
			node.Intercept(func(r uint32, arg unsafe.Pointer, err error) error {
				c.change(r, arg)
				return err
			})
			kind := uapi.Capture
			if c.multi {
				kind = uapi.CaptureMPlane
			}
			n, err := d.Map(kind, 3)
			if !errors.Is(err, uapi.ErrAnswer) && !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%d buffers, %v", n, err)
			}
			if k.Mappings() != 0 {
				t.Errorf("%d mappings are left", k.Mappings())
			}
			node.Intercept(nil)
			if n, err := d.Map(kind, 3); n != 3 || err != nil {
				t.Errorf("a second time: %d buffers, %v", n, err)
			}
		})
	}
}

func TestMap_TakesWhatTheDriverGives(t *testing.T) {
	config := small(false)
	config.Buffers = 2
	d, node, _ := open(t, config)
	if n, err := d.Map(uapi.Capture, 4); n != 2 || err != nil {
		t.Errorf("%d buffers, %v", n, err)
	}
	if _, err := d.Map(uapi.Capture, 4); err == nil {
		t.Error("mapped twice")
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, count := range []int{-1, 0, 33} {
		if _, err := d.Map(uapi.Capture, count); err == nil {
			t.Errorf("%d buffers are asked for", count)
		}
	}
	// More than there can be: those beyond are left alone.
	answer(node, abi.ReqBufs, func(r *abi.RequestBuffers) { r.Count = 1 << 31 })
	if n, err := d.Map(uapi.Capture, 2); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("%d buffers, %v; want the error of the third", n, err)
	}
}

// The order in which a device is given back is the one that every kernel accepts.
func TestStop_StopsThenUnmapsThenFrees(t *testing.T) {
	d, node, k := stream(t, small(false), 3)
	var order []string
	node.Intercept(func(r uint32, _ unsafe.Pointer, err error) error {
		switch r {
		case abi.StreamOff:
			order = append(order, "stop")
			if k.Mappings() != 3 {
				t.Errorf("%d mappings while it streams", k.Mappings())
			}
		case abi.ReqBufs:
			order = append(order, "free")
			if k.Mappings() != 0 {
				t.Errorf("%d mappings when the buffers are freed", k.Mappings())
			}
		}
		return err
	})
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"stop", "free"}) {
		t.Errorf("order: %v", order)
	}
	if _, err := d.Dequeue(); err == nil {
		t.Error("a frame after the end")
	}
	if err := d.Stop(); err != nil {
		t.Errorf("stopping again: %v", err)
	}
	node.Intercept(nil)
	if _, err := d.SetFormat(uapi.Capture, uapi.Pix{FourCC: uapi.H264, Width: 32, Height: 32}); err != nil {
		t.Errorf("the format after the end: %v", err)
	}
	if _, err := d.Map(uapi.Capture, 2); err != nil {
		t.Errorf("starting over: %v", err)
	}
}

func TestStop_FreesEverythingWhateverFails(t *testing.T) {
	d, node, k := stream(t, small(false), 3)
	node.Fail(abi.StreamOff, syscall.EIO)
	if err := d.Stop(); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, want EIO", err)
	}
	if k.Mappings() != 0 {
		t.Errorf("%d mappings are left", k.Mappings())
	}
}

func TestStart_FailsLikeTheDriver(t *testing.T) {
	d, node, _ := open(t, small(false))
	if err := d.Start(); err == nil {
		t.Error("started without buffers")
	}
	if _, err := d.Map(uapi.Capture, 2); err != nil {
		t.Fatal(err)
	}
	node.Fail(abi.StreamOn, syscall.ENOSPC)
	if err := d.Start(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want ENOSPC: no USB bandwidth", err)
	}
	if _, err := d.Wait(time.Hour); err == nil {
		t.Error("waiting for a device that does not stream")
	}
}

func TestUnplug_EverythingFailsAndIsFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, node, k := stream(t, small(true), 3)
		node.Deliver([]byte("last words"))
		f, err := d.Dequeue()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-time.After(time.Second)
			node.Unplug()
		}()
		before := time.Now()
		if e, err := d.Wait(time.Hour); e != uapi.Failed || err != nil || time.Since(before) != time.Second {
			t.Errorf("waiting: %v, %v after %v", e, err, time.Since(before))
		}
		if string(f.Data) != "last words" {
			t.Errorf("what is mapped reads %q", f.Data)
		}
		_, dequeued := d.Dequeue()
		_, capability := d.Capability()
		for _, err := range []error{d.Queue(f.Index), dequeued, capability, d.SetControl(brightness, 1)} {
			if !errors.Is(err, syscall.ENODEV) {
				t.Errorf("%v, want ENODEV", err)
			}
		}
		if err := d.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if k.Leaks() != 0 {
			t.Errorf("%d descriptors, %d mappings are left", k.OpenDescriptors(), k.Mappings())
		}
	})
}

func TestWake_EndsWaitingAtAnyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, node, _ := stream(t, small(false), 2)
		d.Wake()
		d.Wake()
		if e, err := d.Wait(time.Hour); e != uapi.Woken || err != nil {
			t.Errorf("woken before: %v, %v", e, err)
		}
		before := time.Now()
		if e, err := d.Wait(20 * time.Millisecond); e != uapi.TimedOut || err != nil || time.Since(before) != 20*time.Millisecond {
			t.Errorf("not woken: %v, %v after %v", e, err, time.Since(before))
		}
		go d.Wake()
		if e, err := d.Wait(time.Hour); e != uapi.Woken || err != nil {
			t.Errorf("woken: %v, %v", e, err)
		}
		go node.Deliver([]byte("x"))
		if e, err := d.Wait(time.Hour); e != uapi.Ready || err != nil {
			t.Errorf("delivered: %v, %v", e, err)
		}
		d.Wake()
		if e, err := d.Wait(time.Hour); e != uapi.Woken || err != nil {
			t.Errorf("woken with a frame ready: %v, %v", e, err)
		}
	})
}
