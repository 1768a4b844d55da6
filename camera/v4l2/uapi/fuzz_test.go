package uapi_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// hostile is a kernel whose answers are bytes of the fuzzer's.
type hostile struct {
	t     *testing.T
	data  []byte
	at    int
	cycle bool // begin again at the end; else every request fails

	requests int
	open     bool
	mapped   map[*byte]int
}

// next takes a byte.
func (h *hostile) next() (byte, bool) {
	if h.at >= len(h.data) {
		if !h.cycle || len(h.data) == 0 {
			return 0, false
		}
		h.at = 0
	}
	h.at++
	return h.data[h.at-1], true
}

func (h *hostile) fill(b []byte) {
	for i := range b {
		b[i], _ = h.next()
	}
}

func (h *hostile) Open(string) (int, error) { h.open = true; return 3, nil }

func (h *hostile) Close(int) error {
	if !h.open {
		h.t.Error("closed twice")
	}
	h.open = false
	return h.error()
}

// error is none in three of four cases.
func (h *hostile) error() error {
	b, ok := h.next()
	if !ok {
		return syscall.ENODEV
	}
	errnos := []error{
		syscall.EINVAL, syscall.ENOTTY, syscall.ENODEV, syscall.EAGAIN, syscall.EIO, syscall.EBUSY, syscall.EPIPE, syscall.ERANGE,
	}
	if b&3 == 0 {
		return errnos[int(b>>2)%len(errnos)]
	}
	return nil
}

// Ioctl answers with bytes of the fuzzer's, or leaves the structure, or says so much of
// the truth that what comes behind is reached.
func (h *hostile) Ioctl(_ int, request uint32, arg unsafe.Pointer) error {
	h.requests++
	if !h.open {
		h.t.Error("a request of a closed device")
	}
	how, _ := h.next()
	switch {
	case how&7 == 0:
		size := request >> 16 & (1<<14 - 1)
		switch request { // the kernel writes behind these pointers, not the pointers
		case abi.QueryBuf, abi.QBuf, abi.DQBuf:
			if b := (*abi.Buffer)(arg); b.Type == uint32(uapi.CaptureMPlane) {
				planes := b.Planes()
				h.fill(unsafe.Slice((*byte)(unsafe.Pointer(&planes[0])), uintptr(len(planes))*unsafe.Sizeof(planes[0])))
			}
		case abi.GetExtCtrls, abi.SetExtCtrls:
			list := (*abi.ExtControls)(arg).List()
			h.fill(unsafe.Slice((*byte)(unsafe.Pointer(&list[0])), uintptr(len(list))*unsafe.Sizeof(list[0])))
		}
		h.fill(unsafe.Slice((*byte)(arg), size))
	case how&7 < 6:
		h.plausible(request, arg)
	}
	return h.error()
}

// plausible answers with small numbers.
func (h *hostile) plausible(request uint32, arg unsafe.Pointer) {
	n, _ := h.next()
	switch request {
	case abi.ReqBufs:
		(*abi.RequestBuffers)(arg).Count = uint32(n) % 40
	case abi.QueryBuf, abi.DQBuf:
		b := (*abi.Buffer)(arg)
		b.Index, b.BytesUsed, b.Flags = uint32(n)&3, uint32(n)<<6, uint32(n)<<8
		if b.Type == uint32(uapi.CaptureMPlane) {
			p := b.Planes()
			p[0].Length, p[0].BytesUsed, p[0].DataOffset = uint32(n)<<4, uint32(n)<<5, uint32(n)
			b.Length = 1
			return
		}
		b.Length = uint32(n) << 4
	case abi.QueryExtCtrl:
		q := (*abi.QueryExtControl)(arg)
		q.ID = q.ID&^abi.CtrlFlagNextCtrl + uint32(n)
		q.Type, q.Maximum = uint32(n)&15, int64(n)<<3
	case abi.QueryCtrl:
		q := (*abi.QueryControl)(arg)
		q.ID = q.ID&^abi.CtrlFlagNextCtrl + uint32(n)
		q.Type, q.Maximum = uint32(n)&15, int32(n)<<3
	case abi.EnumFmt:
		(*abi.FmtDesc)(arg).PixelFormat = uint32(n)
	case abi.GetParm:
		(*abi.StreamParm)(arg).Capture.Capability = abi.ParmTimePerFrame
	}
}

func (h *hostile) Mmap(_ int, _ int64, length int) ([]byte, error) {
	if length <= 0 || length > 64<<20 {
		h.t.Errorf("%d bytes are mapped", length)
	}
	if length > 1<<16 || h.error() != nil {
		return nil, syscall.ENOMEM
	}
	b := make([]byte, length)
	h.mapped[&b[0]] = length
	return b, nil
}

func (h *hostile) Munmap(b []byte) error {
	if len(b) == 0 || h.mapped[&b[0]] != len(b) {
		h.t.Errorf("%d bytes are unmapped that were not mapped", len(b))
		return syscall.EINVAL
	}
	delete(h.mapped, &b[0])
	return h.error()
}

func (h *hostile) Monotonic() time.Duration           { return time.Second }
func (h *hostile) NewWaiter(int) (uapi.Waiter, error) { return eager{}, nil }

// eager never waits.
type eager struct{}

func (eager) Wait(time.Duration) (uapi.Event, error) { return uapi.Ready, nil }
func (eager) Wake()                                  {}
func (eager) Close() error                           { return nil }

// FuzzDevice does everything with a driver whose answers are the fuzzer's: nothing
// panics, nothing takes long, and what is returned keeps its promises.
func FuzzDevice(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte{1, 1, 1, 1, 1, 1}, true)
	f.Add([]byte{6, 1}, true)
	f.Add([]byte{0, 0xff, 0xff}, true)
	f.Add([]byte{0, 2, 0, 0, 0, 1, 2, 3, 4, 0xff}, true)
	f.Add([]byte(strings.Repeat("\x01\x02\x03\x07\x0b", 50)), false)
	f.Fuzz(func(t *testing.T, data []byte, cycle bool) {
		for _, kind := range []uapi.BufType{uapi.Capture, uapi.CaptureMPlane} {
			k := &hostile{t: t, data: data, cycle: cycle, mapped: map[*byte]int{}}
			d, err := uapi.Open(k, "/dev/video0")
			if err != nil {
				t.Fatal(err)
			}
			describe(t, d, kind)
			for range 2 {
				capture(t, d, k, kind)
			}
			_ = d.Close()
			_ = d.Close()
			d.Wake()
			if k.open || len(k.mapped) != 0 {
				t.Errorf("left open: %t, with %d mappings", k.open, len(k.mapped))
			}
			if k.requests > 512*66+2000 {
				t.Errorf("%d requests", k.requests)
			}
		}
	})
}

// describe asks a device everything.
func describe(t *testing.T, d *uapi.Device, kind uapi.BufType) {
	t.Helper()
	c, _ := d.Capability()
	if kind, ok := c.Capture(); ok != (kind == uapi.Capture || kind == uapi.CaptureMPlane) {
		t.Errorf("captures by %d: %t", kind, ok)
	}
	printable(t, c.Driver, c.Card, c.BusInfo)
	formats, _ := d.Formats(kind)
	for _, f := range formats {
		printable(t, f.Description, f.FourCC.String())
	}
	sizes, _ := d.FrameSizes(uapi.H264)
	for _, s := range sizes {
		for _, r := range []uapi.Range{s.Width, s.Height} {
			if r.Min < 1 || r.Max < r.Min || r.Max > 65535 || (r.Step == 0) != (r.Min == r.Max) {
				t.Errorf("a range of %v", r)
			}
		}
	}
	intervals, _ := d.FrameIntervals(uapi.H264, 640, 480)
	for _, v := range intervals {
		if v.Min.Rate() == 0 || v.Max.Rate() == 0 || v.Min.Duration() < 0 || v.Max.Duration() < v.Min.Duration() {
			t.Errorf("an interval of %v", v)
		}
	}
	for _, list := range []int{len(formats) * 4, len(sizes), len(intervals)} {
		if list > 256 {
			t.Errorf("a list of %d", list)
		}
	}
	controls, _ := d.Controls()
	for i, c := range controls {
		printable(t, c.Name)
		if len(controls) > 512 || len(c.Menu) > 64 || c.Min > c.Max || c.Step < 0 || i > 0 && c.ID <= controls[i-1].ID {
			t.Errorf("a control %v", c)
		}
		for _, m := range c.Menu {
			printable(t, m.Name)
		}
	}
	for i := range 4 {
		_, _ = d.Control(uapi.ControlBitrate)
		_ = d.SetControl(uapi.ControlBitrate, int64(i))
	}
	p, err := d.SetFormat(kind, uapi.Pix{FourCC: uapi.H264, Width: 640, Height: 480})
	if err == nil && (p.Width < 1 || p.Width > 65535 || p.Height < 1 || p.Height > 65535 || p.Planes != 1 || p.SizeImage > 64<<20) {
		t.Errorf("a format %v", p)
	}
	if _, err := d.Format(kind); err != nil && d.Path() == "" {
		t.Error("no path")
	}
	if v, err := d.SetInterval(kind, uapi.Fraction{Numerator: 1, Denominator: 30}); err == nil && v.Rate() == 0 {
		t.Errorf("an interval of %v", v)
	}
}

// capture streams a little, and gives back what it gets, but for one buffer.
func capture(t *testing.T, d *uapi.Device, k *hostile, kind uapi.BufType) {
	t.Helper()
	n, err := d.Map(kind, 4)
	if err != nil && len(k.mapped) != 0 {
		t.Errorf("%d mappings are left after %v", len(k.mapped), err)
	}
	if err == nil && (n < 1 || n > 32 || n != len(k.mapped)) {
		t.Errorf("%d buffers of %d", n, len(k.mapped))
	}
	_ = d.Start()
	for i := range 20 {
		_, _ = d.Wait(0)
		f, err := d.Dequeue()
		if err != nil {
			continue
		}
		if f.Index < 0 || f.Index >= n || f.Time < 0 || f.HasTime && f.Time == 0 {
			t.Errorf("a frame %v of %d buffers", f, n)
		}
		for i := range f.Data { // all of it is there
			f.Data[i]++
		}
		if i > 0 {
			_ = d.Queue(f.Index)
		}
	}
	_ = d.Stop()
	if len(k.mapped) != 0 {
		t.Errorf("%d mappings are left", len(k.mapped))
	}
}

// printable checks that texts can be shown.
func printable(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("the text %q", s)
		}
	}
}
