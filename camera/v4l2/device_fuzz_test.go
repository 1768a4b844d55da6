package v4l2

import (
	"errors"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// babbler is a kernel whose only device answers with bytes of the fuzzer: to each
// request one that says whether it fails and how, then what it writes.
type babbler struct {
	bytes []byte
	calls int
}

func (b *babbler) take(n int) []byte {
	n = min(n, len(b.bytes))
	taken := b.bytes[:n]
	b.bytes = b.bytes[n:]
	return taken
}

func (b *babbler) Ioctl(_ int, request uint32, arg unsafe.Pointer) error {
	b.calls++
	verdict := b.take(1)
	if len(verdict) == 0 {
		return syscall.EINVAL
	}
	switch verdict[0] {
	case 255:
		return syscall.EINVAL
	case 254:
		return syscall.ENOTTY
	case 253:
		return syscall.EIO
	case 252:
		return syscall.ENODEV
	}
	if request == abi.GetExtCtrls || request == abi.SetExtCtrls {
		return nil // what these write is behind a pointer
	}
	size := int(request >> 16 & 0x1fff) // _IOC_SIZE
	copy(unsafe.Slice((*byte)(arg), size), b.take(size))
	if request == abi.QueryCap && verdict[0]%2 == 0 { // else hardly anything is a camera
		c := (*abi.Capability)(arg)
		c.Capabilities = abi.CapVideoCapture | abi.CapStreaming
	}
	return nil
}

func (*babbler) Paths() []string                      { return []string{"/dev/video0"} }
func (*babbler) Open(string) (int, error)             { return 3, nil }
func (*babbler) Close(int) error                      { return nil }
func (*babbler) Mmap(int, int64, int) ([]byte, error) { return nil, syscall.EINVAL }
func (*babbler) Munmap([]byte) error                  { return nil }
func (*babbler) Monotonic() time.Duration             { return 0 }
func (*babbler) NewWaiter(int) (uapi.Waiter, error)   { return noWaiter{}, nil }

type noWaiter struct{}

func (noWaiter) Wait(time.Duration) (uapi.Event, error) { return uapi.TimedOut, nil }
func (noWaiter) Wake()                                  {}
func (noWaiter) Close() error                           { return nil }

// answers of a device that has one format with a size and a rate, to begin from.
func answers(sizeType, rateType uint32) []byte {
	var b []byte
	say := func(answer any) {
		b = append(b, 0)
		switch v := answer.(type) {
		case abi.Capability:
			b = append(b, unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
		case abi.FmtDesc:
			b = append(b, unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
		case abi.Format:
			b = append(b, unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
		case abi.FrameSizeEnum:
			b = append(b, unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
		case abi.FrameIntervalEnum:
			b = append(b, unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
		}
	}
	var c abi.Capability
	copy(c.Card[:], "Fuzz")
	say(c)
	for _, f := range []uapi.FourCC{uapi.H264, uapi.MJPG, uapi.HEVC, uapi.Y16} {
		d := abi.FmtDesc{Type: abi.BufTypeVideoCapture, PixelFormat: uint32(f)}
		say(d)
	}
	b = append(b, 255) // no more formats
	say(abi.Format{})
	for range 4 {
		s := abi.FrameSizeEnum{Type: sizeType}
		s.Stepwise = abi.FrameSizeStepwise{MinWidth: 640, MaxWidth: 1920, StepWidth: 2, MinHeight: 480, MaxHeight: 1080, StepHeight: 2}
		say(s)
		b = append(b, 255)
		i := abi.FrameIntervalEnum{Type: rateType}
		i.Stepwise.Min, i.Stepwise.Max = abi.Fract{Numerator: 1, Denominator: 30}, abi.Fract{Numerator: 1, Denominator: 5}
		say(i)
		b = append(b, 255)
	}
	return b
}

func FuzzDescribe(f *testing.F) {
	for _, sizes := range []uint32{abi.FrameTypeDiscrete, abi.FrameTypeContinuous, abi.FrameTypeStepwise} {
		for _, rates := range []uint32{abi.FrameTypeDiscrete, abi.FrameTypeContinuous, 0} {
			f.Add(answers(sizes, rates), uint16(0), uint16(0), 0.0)
			f.Add(answers(sizes, rates), uint16(640), uint16(480), 29.97)
		}
	}
	f.Add([]byte{254}, uint16(1), uint16(0), math.NaN())
	f.Add([]byte{0}, uint16(0), uint16(1), math.Inf(1))
	f.Fuzz(func(t *testing.T, b []byte, width, height uint16, rate float64) {
		k := &babbler{bytes: b}
		h, err := uapi.Open(k, "/dev/video0")
		if err != nil {
			t.Fatal(err)
		}
		d, err := Describe(h, "/dev/video0")
		checkText(t, err)
		// At most what the bytes say, and one question that ends each enumeration.
		if k.calls > len(b)+2000 {
			t.Errorf("asked %d times for %d bytes", k.calls, len(b))
		}
		for _, format := range d.Formats {
			checkFormat(t, format)
		}
		wants := []Want{{}, {Rate: rate}, {Width: int(width), Height: int(height), Rate: rate}, {Width: int(width)}, {Height: -int(height)}}
		for _, format := range d.Formats[:min(len(d.Formats), 4)] {
			wants = append(wants, Want{Format: format.FourCC}, Want{Format: format.FourCC, Width: int(width), Height: int(height)})
		}
		for _, w := range wants {
			for _, canEncode := range []bool{true, false} {
				m, err := Choose(d, w, canEncode)
				checkText(t, err)
				if err == nil {
					checkMode(t, d, w, canEncode, m)
				}
			}
		}
	})
}

func checkText(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("no *Error: %v", err)
	}
	text := err.Error()
	if len(text) == 0 || len(text) > 4096 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }) {
		t.Errorf("a text of %d bytes: %q", len(text), text)
	}
}

func checkFormat(t *testing.T, f Format) {
	t.Helper()
	if len(f.Sizes) > maxSizes+maxRanges {
		t.Errorf("%s has %d sizes", f.FourCC, len(f.Sizes))
	}
	for i, s := range f.Sizes {
		if !sane(s) || i > 0 && s.Discrete() && (f.Sizes[i-1].area() < s.area() || !f.Sizes[i-1].Discrete()) {
			t.Errorf("%s: %s after %v", f.FourCC, s, f.Sizes[:i])
		}
		if !slices.IsSortedFunc(s.Rates, func(a, b float64) int { return int(math.Copysign(1, b-a)) }) {
			t.Errorf("%s %s: rates %v", f.FourCC, s, s.Rates)
		}
		for _, r := range s.Rates {
			if r < 0.001 || r > 1000 {
				t.Errorf("%s %s: rates %v", f.FourCC, s, s.Rates)
			}
		}
	}
}

// checkMode checks that a mode is one of the device's, and as wanted.
func checkMode(t *testing.T, d Device, w Want, canEncode bool, m Mode) {
	t.Helper()
	listed := false
	for _, f := range d.Formats {
		if f.FourCC != m.FourCC || f.Use != m.Use {
			continue
		}
		for _, s := range f.Sizes {
			rated := len(s.Rates) == 0
			for _, r := range s.Rates {
				rated = rated || math.Abs(r-m.Rate()) < 0.0011
			}
			listed = listed || rated && s.has(m.Width, m.Height)
		}
	}
	switch {
	case !listed:
		t.Errorf("chose %s, which is not listed", m)
	case m.Use == Unusable || m.Use == Encode && !canEncode:
		t.Errorf("chose %s, which cannot be used", m)
	case m.Interval.Numerator == 0 || m.Interval.Denominator == 0 || m.Rate() <= 0:
		t.Errorf("chose an interval of %d/%d s", m.Interval.Numerator, m.Interval.Denominator)
	case w.Format != 0 && w.Format != m.FourCC || w.Width != 0 && w.Width != int(m.Width) || w.Height != 0 && w.Height != int(m.Height):
		t.Errorf("chose %s where %s was wanted", m, w)
	}
}
