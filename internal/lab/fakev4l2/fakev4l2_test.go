package fakev4l2_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const path = "/dev/video0"

func camera() fakev4l2.Device {
	return fakev4l2.Device{
		Formats: []fakev4l2.Format{{FourCC: uapi.H264, Compressed: true, Sizes: []fakev4l2.Size{
			fakev4l2.Discrete(1280, 720, 30), fakev4l2.Discrete(64, 64, 30, 10),
		}}},
		Controls: []uapi.Control{
			{ID: uapi.ControlForceKeyFrame, Type: uapi.TypeButton, Name: "Force Key Frame"},
			{ID: uapi.ControlBitrate, Type: uapi.TypeInteger, Name: "Bitrate", Min: 1000, Max: 9000, Step: 500, Default: 2000},
		},
	}
}

func open(t *testing.T, k *fakev4l2.Kernel) *uapi.Device {
	t.Helper()
	d, err := uapi.Open(k, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func stream(t *testing.T, d *uapi.Device, count int) {
	t.Helper()
	if _, err := d.SetFormat(uapi.Capture, uapi.Pix{FourCC: uapi.H264, Width: 64, Height: 64}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Map(uapi.Capture, count); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
}

func TestQueue_IsOfTheFirstWhoAsks(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	first, second := open(t, k), open(t, k)
	stream(t, first, 2)

	if _, err := second.Controls(); err != nil {
		t.Errorf("looking at a busy device: %v", err)
	}
	if _, err := second.Formats(uapi.Capture); err != nil {
		t.Errorf("looking at a busy device: %v", err)
	}
	pix := uapi.Pix{FourCC: uapi.H264, Width: 64, Height: 64}
	_, format := second.SetFormat(uapi.Capture, pix)
	_, own := first.SetFormat(uapi.Capture, pix)
	_, interval := second.SetInterval(uapi.Capture, uapi.Fraction{Numerator: 1, Denominator: 10})
	_, mapped := second.Map(uapi.Capture, 2)
	for what, err := range map[string]error{"format": format, "own format": own, "interval": interval, "buffers": mapped} {
		if !errors.Is(err, syscall.EBUSY) {
			t.Errorf("%s while another streams: %v, want EBUSY", what, err)
		}
	}
	if err := second.Close(); err != nil || !node.Streaming() {
		t.Errorf("the second's end stops the first: %v", err)
	}
	third := open(t, k)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	stream(t, third, 2)
}

// By requests of its own, since a uapi.Device keeps to the rules.
func TestQueue_KeepsTheRulesOfVideobuf2(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	fd, err := k.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := int32(abi.BufTypeVideoCapture)
	buffer := func(index uint32) *abi.Buffer {
		return &abi.Buffer{Index: index, Type: abi.BufTypeVideoCapture, Memory: abi.MemoryMMap}
	}
	request := func(r uint32, arg unsafe.Pointer, want error) {
		t.Helper()
		if err := k.Ioctl(fd, r, arg); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	buffers := func(count uint32, want error) {
		t.Helper()
		r := abi.RequestBuffers{Count: count, Type: abi.BufTypeVideoCapture, Memory: abi.MemoryMMap}
		request(abi.ReqBufs, unsafe.Pointer(&r), want)
	}
	request(abi.StreamOn, unsafe.Pointer(&kind), syscall.EINVAL) // no buffers
	request(abi.DQBuf, unsafe.Pointer(buffer(0)), syscall.EINVAL)
	buffers(2, nil)
	request(abi.DQBuf, unsafe.Pointer(buffer(0)), syscall.EINVAL) // not streaming
	request(abi.QBuf, unsafe.Pointer(buffer(2)), syscall.EINVAL)
	request(abi.QBuf, unsafe.Pointer(buffer(1)), nil)
	request(abi.QBuf, unsafe.Pointer(buffer(1)), syscall.EINVAL) // queued already
	request(abi.StreamOn, unsafe.Pointer(&kind), nil)
	request(abi.StreamOn, unsafe.Pointer(&kind), nil)
	request(abi.DQBuf, unsafe.Pointer(buffer(0)), syscall.EAGAIN)
	buffers(2, syscall.EBUSY) // streaming

	b := buffer(1)
	request(abi.QueryBuf, unsafe.Pointer(b), nil)
	m, err := k.Mmap(fd, int64(*b.Offset()), int(b.Length))
	if err != nil || b.Flags&(abi.BufFlagMapped|abi.BufFlagQueued) != abi.BufFlagQueued {
		t.Fatalf("%v, flags %#x", err, b.Flags)
	}
	node.Deliver([]byte("abc"))
	request(abi.QueryBuf, unsafe.Pointer(b), nil)
	if b.Flags&(abi.BufFlagMapped|abi.BufFlagDone) != abi.BufFlagMapped|abi.BufFlagDone {
		t.Errorf("a filled buffer's flags are %#x", b.Flags)
	}
	request(abi.StreamOff, unsafe.Pointer(&kind), nil)
	request(abi.StreamOff, unsafe.Pointer(&kind), nil)
	request(abi.DQBuf, unsafe.Pointer(buffer(0)), syscall.EINVAL)
	request(abi.QBuf, unsafe.Pointer(buffer(1)), nil) // is the program's again
	buffers(0, syscall.EBUSY)                         // mapped
	if err := k.Munmap(m); err != nil {
		t.Fatal(err)
	}
	buffers(0, nil)
	request(abi.QBuf, unsafe.Pointer(buffer(0)), syscall.EINVAL)
	request(0xdeadbeef, unsafe.Pointer(&kind), syscall.ENOTTY)
	wrong := int32(abi.BufTypeVideoCaptureMPlane)
	request(abi.StreamOff, unsafe.Pointer(&wrong), syscall.EINVAL)
	if err := k.Close(fd); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{k.Close(fd), k.Munmap(m), k.Ioctl(fd, abi.QueryCap, nil)} {
		if err == nil {
			t.Error("something is done with what was given back")
		}
	}
	if k.Leaks() != 0 {
		t.Errorf("%d are left", k.Leaks())
	}
}

func TestKernel_CountsWhatIsNotGivenBack(t *testing.T) {
	k := fakev4l2.New()
	k.Add(path, camera())
	d := open(t, k)
	stream(t, d, 3)
	if k.OpenDescriptors() != 1 || k.Mappings() != 3 || k.Waiters() != 1 || k.Leaks() != 5 {
		t.Errorf("%d descriptors, %d mappings, %d waiters", k.OpenDescriptors(), k.Mappings(), k.Waiters())
	}
	if err := d.Close(); err != nil || k.Leaks() != 0 {
		t.Errorf("%d are left, %v", k.Leaks(), err)
	}
}

func TestUnplug_LeavesMappingsReadableAndDescriptorsDead(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	d := open(t, k)
	stream(t, d, 2)
	node.Deliver([]byte("still here"))
	f, err := d.Dequeue()
	if err != nil {
		t.Fatal(err)
	}
	node.Unplug()
	node.Unplug()
	if len(k.Paths()) != 0 || node.Deliver([]byte("x")) || node.Streaming() {
		t.Error("an unplugged device goes on")
	}
	if _, err := uapi.Open(k, path); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("opening what is gone: %v", err)
	}
	if string(f.Data) != "still here" {
		t.Errorf("the frame reads %q", f.Data)
	}
	if e, err := d.Wait(time.Hour); e != uapi.Failed || err != nil {
		t.Errorf("waiting: %v, %v", e, err)
	}

	k.PlugAs(node, "/dev/video2")
	if !slices.Equal(k.Paths(), []string{"/dev/video2"}) || node.Path() != "/dev/video2" {
		t.Errorf("the paths are %v", k.Paths())
	}
	if _, err := d.Capability(); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("a descriptor of before: %v", err)
	}
	if node.Format().Width != 1280 {
		t.Errorf("the format of before is left: %v", node.Format())
	}
	again, err := uapi.Open(k, "/dev/video2")
	if err != nil {
		t.Fatal(err)
	}
	stream(t, again, 2)
	if err := d.Close(); err != nil || !node.Streaming() {
		t.Errorf("the end of a dead descriptor stops a live one: %v", err)
	}
	if err := again.Close(); err != nil || k.Leaks() != 0 {
		t.Errorf("%d are left, %v", k.Leaks(), err)
	}
}

func TestMunmap_SpoilsWhatIsReadAfterwards(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	d := open(t, k)
	stream(t, d, 2)
	node.Deliver([]byte("abc"))
	f, err := d.Dequeue()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if string(f.Data) == "abc" {
		t.Error("a frame can be read after the end, which a real one crashes at")
	}
}

func TestSetBusy_IsAnotherProgram(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	d := open(t, k)
	node.SetBusy(true)
	if _, err := d.Formats(uapi.Capture); err != nil {
		t.Error(err)
	}
	if _, err := d.Map(uapi.Capture, 2); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("%v, want EBUSY", err)
	}
	node.SetBusy(false)
	stream(t, d, 2)
}

func TestControls_AreKeptAsTheFrameworkDoes(t *testing.T) {
	k := fakev4l2.New()
	config := camera()
	keys := 0
	config.OnSet = func(s fakev4l2.Set) {
		if s.ID == uapi.ControlForceKeyFrame {
			keys++
			k.Paths() // does not deadlock
		}
	}
	node := k.Add(path, config)
	d := open(t, k)
	for value, want := range map[int64]int64{1: 1000, 1e6: 9000, 3100: 3000, 3300: 3500} {
		if err := d.SetControl(uapi.ControlBitrate, value); err != nil || node.Value(uapi.ControlBitrate) != want {
			t.Errorf("%d became %d, %v; want %d", value, node.Value(uapi.ControlBitrate), err, want)
		}
	}
	for range 2 {
		if err := d.SetControl(uapi.ControlForceKeyFrame, 0); err != nil {
			t.Error(err)
		}
	}
	if node.Presses(uapi.ControlForceKeyFrame) != 2 || keys != 2 || len(node.Sets()) != 6 {
		t.Errorf("%d presses, %d calls, %v", node.Presses(uapi.ControlForceKeyFrame), keys, node.Sets())
	}
	node.Unplug()
	k.Plug(node)
	if node.Value(uapi.ControlBitrate) != 2000 {
		t.Errorf("after switching on the bit rate is %d", node.Value(uapi.ControlBitrate))
	}
}

// What vivid does at "Inject Fatal Streaming Error".
func TestBreak_LastsUntilStreamingIsStopped(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	d := open(t, k)
	stream(t, d, 2)
	node.Deliver([]byte("x"))
	f, err := d.Dequeue()
	if err != nil {
		t.Fatal(err)
	}
	node.Break()
	if e, err := d.Wait(time.Hour); e != uapi.Failed || err != nil {
		t.Errorf("waiting: %v, %v", e, err)
	}
	_, dequeued := d.Dequeue()
	for _, err := range []error{dequeued, d.Queue(f.Index)} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%v, want EIO", err)
		}
	}
	if _, err := d.Capability(); err != nil || node.Deliver([]byte("y")) {
		t.Errorf("a broken queue delivers, or the device fails: %v", err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	stream(t, d, 2)
	if !node.Deliver([]byte("z")) {
		t.Error("still broken")
	}
}

// A camera of 30 pictures a second, for two minutes of virtual time.
func TestFeed_RunsInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := fakev4l2.New()
		node := k.Add(path, camera())
		d := open(t, k)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			err := node.WaitStreaming(ctx)
			if err == nil {
				node.Feed(ctx, time.Second/30, func(i int) []byte { return []byte{byte(i)} })
			}
			done <- err
		}()
		stream(t, d, 4)
		begin := k.Monotonic()
		count := uint32(0)
		for k.Monotonic()-begin < 2*time.Minute {
			if e, err := d.Wait(time.Second); e != uapi.Ready || err != nil {
				t.Fatal(e, err)
			}
			f, err := d.Dequeue()
			if err != nil || f.Sequence != count || f.Data[0] != byte(count) || k.Monotonic()-f.Time >= time.Microsecond {
				t.Fatalf("frame %d is %v at %v, %v", count, f, k.Monotonic(), err)
			}
			if err := d.Queue(f.Index); err != nil {
				t.Fatal(err)
			}
			count++
		}
		if count < 30*120-1 || count > 30*120+1 {
			t.Errorf("%d frames", count)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := node.WaitStopped(t.Context()); err != nil {
			t.Error(err)
		}
		if err := node.WaitStreaming(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting for what does not come: %v", err)
		}
	})
}

func TestDeliver_CutsOffWhatIsTooLong(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	d := open(t, k)
	if node.Deliver([]byte("x")) {
		t.Error("delivered to nobody")
	}
	stream(t, d, 1)
	node.Deliver([]byte(strings.Repeat("x", 10_000)))
	if node.Undelivered() != 1 || node.Queued() != 0 {
		t.Errorf("%d filled, %d queued", node.Undelivered(), node.Queued())
	}
	f, err := d.Dequeue()
	if err != nil || len(f.Data) != 64*64*2 || !f.Damaged || f.Sequence != 0 {
		t.Errorf("%d bytes, %+v, %v", len(f.Data), f.Sequence, err)
	}
}

func TestFormat_NearestIsTaken(t *testing.T) {
	k := fakev4l2.New()
	node := k.Add(path, camera())
	d := open(t, k)
	got, err := d.SetFormat(uapi.Capture, uapi.Pix{FourCC: uapi.YUYV, Width: 100, Height: 50})
	if err != nil || got.FourCC != uapi.H264 || got.Width != 64 || got.Height != 64 {
		t.Errorf("%v, %v", got, err)
	}
	for rate, want := range map[uint32]uint32{30: 30, 60: 30, 12: 10, 1: 10} {
		got, err := d.SetInterval(uapi.Capture, uapi.Fraction{Numerator: 1, Denominator: rate})
		if err != nil || got.Rate() != float64(want) || node.Interval() != got {
			t.Errorf("%d a second became %v, %v", rate, got.Rate(), err)
		}
	}
}
