package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A source gives a picture's samples; made by it, a picture of any layout holds what
// one can look up, so that a packer is tested against the layout's definition.
type source struct{ seed uint64 }

func (s source) sample(plane, x, y int) byte {
	h := (uint64(x)*0x9e3779b97f4a7c15 ^ uint64(y)*0xc2b2ae3d27d4eb4f ^ uint64(plane)*0x165667b19e3779f9) + s.seed
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	return byte(h >> 56)
}

const (
	planeY  = 0
	planeCb = 1
	planeCr = 2
)

// draw makes a picture of a layout, byte by byte as the kernel's documentation shows
// it. What lies between lines is 0xee.
func draw(s Settings, src source) []byte {
	w, h, stride := s.Width, s.Height, s.Stride
	cw, ch := (w+1)/2, (h+1)/2
	picture := bytes.Repeat([]byte{0xee}, stride*h)
	chromas := [2]int{planeCb, planeCr}
	switch s.FourCC {
	case "YVYU", "VYUY", "NV21", "YV12":
		chromas = [2]int{planeCr, planeCb}
	}
	for y := range h {
		line := picture[y*stride:]
		switch s.FourCC {
		case "YUYV", "YVYU":
			for x := range cw {
				copy(line[4*x:], []byte{src.sample(planeY, 2*x, y), src.sample(chromas[0], x, y), src.sample(planeY, 2*x+1, y), src.sample(chromas[1], x, y)})
			}
		case "UYVY", "VYUY":
			for x := range cw {
				copy(line[4*x:], []byte{src.sample(chromas[0], x, y), src.sample(planeY, 2*x, y), src.sample(chromas[1], x, y), src.sample(planeY, 2*x+1, y)})
			}
		default:
			for x := range w {
				line[x] = src.sample(planeY, x, y)
			}
		}
	}
	switch s.FourCC {
	case "NV12", "NV21":
		chromaStride := stride + stride%2
		both := bytes.Repeat([]byte{0xee}, chromaStride*ch)
		for y := range ch {
			for x := range cw {
				both[y*chromaStride+2*x], both[y*chromaStride+2*x+1] = src.sample(chromas[0], x, y), src.sample(chromas[1], x, y)
			}
		}
		picture = append(picture, both...)
	case "YU12", "YV12":
		chromaStride := (stride + 1) / 2
		for _, plane := range chromas {
			one := bytes.Repeat([]byte{0xee}, chromaStride*ch)
			for y := range ch {
				for x := range cw {
					one[y*chromaStride+x] = src.sample(plane, x, y)
				}
			}
			picture = append(picture, one...)
		}
	}
	return picture
}

// expected is what a packer must make of the picture that draw makes.
func expected(s Settings, src source) *planes {
	p := newPlanes(s.Width, s.Height)
	for y := range p.height {
		for x := range p.width {
			p.y[y*p.width+x] = src.sample(planeY, x, y)
		}
	}
	cw := p.width / 2
	for y := range p.height / 2 {
		for x := range cw {
			for plane, dst := range map[int][]byte{planeCb: p.cb, planeCr: p.cr} {
				switch s.FourCC {
				case "YUYV", "YVYU", "UYVY", "VYUY":
					dst[y*cw+x] = byte((int(src.sample(plane, x, 2*y)) + int(src.sample(plane, x, 2*y+1)) + 1) / 2)
				default:
					dst[y*cw+x] = src.sample(plane, x, y)
				}
			}
		}
	}
	return p
}

// tightStride is that of pictures without gaps.
func tightStride(fourCC string, width int) int {
	switch fourCC {
	case "YUYV", "YVYU", "UYVY", "VYUY":
		return (width + 1) / 2 * 4
	case "RGB3", "BGR3":
		return width * 3
	}
	return width
}

func yuvFormats() []string {
	return []string{"YUYV", "YVYU", "UYVY", "VYUY", "NV12", "NV21", "YU12", "YV12"}
}

func TestRaw_EverySampleIsWhereItBelongs(t *testing.T) {
	for _, fourCC := range yuvFormats() {
		for _, size := range [][2]int{{16, 16}, {18, 16}, {22, 20}, {30, 16}, {64, 36}, {17, 17}, {33, 19}, {1280, 32}, {854, 24}} {
			for _, gap := range []int{0, 1, 2, 7, 20, 64} {
				s := usable()
				s.FourCC, s.Width, s.Height = fourCC, size[0], size[1]
				tight := tightStride(fourCC, s.Width)
				s.Stride = tight + gap
				src := source{uint64(gap)}
				t.Run(fmt.Sprintf("%s %dx%d stride %d", fourCC, s.Width, s.Height, s.Stride), func(t *testing.T) {
					picture, want := draw(s, src), expected(s, src)
					checkPacked(t, s, picture, want)
					if gap == 0 {
						s.Stride = 0
						checkPacked(t, s, picture, want)
					}
				})
			}
		}
	}
}

func checkPacked(t *testing.T, s Settings, picture []byte, want *planes) {
	t.Helper()
	p, err := newRawPacker(s)
	if err != nil {
		t.Fatal(err)
	}
	got := newPlanes(s.Width, s.Height)
	if err := p.pack(got, picture); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string][2][]byte{"Y": {want.y, got.y}, "Cb": {want.cb, got.cb}, "Cr": {want.cr, got.cr}} {
		if !bytes.Equal(p[0], p[1]) {
			t.Fatalf("%s (-want +got):\n%.600s", name, cmp.Diff(p[0], p[1]))
		}
	}
}

// The memory behind a picture belongs to somebody else: what is cut off by one byte is
// refused, before it is read.
func TestRaw_APictureCutOffIsRefused(t *testing.T) {
	for _, fourCC := range append(yuvFormats(), "GREY", "RGB3", "BGR3") {
		s := usable()
		s.FourCC, s.Width, s.Height = fourCC, 48, 20
		p, err := newRawPacker(s)
		if err != nil {
			t.Fatal(err)
		}
		s.Stride = tightStride(fourCC, 48)
		whole := draw(s, source{})
		dst := newPlanes(s.Width, s.Height)
		if err := p.pack(dst, whole); err != nil {
			t.Errorf("%s: %v", fourCC, err)
		}
		if err := p.pack(dst, append(bytes.Clone(whole), make([]byte, 4096)...)); err != nil {
			t.Errorf("%s with padding behind: %v", fourCC, err)
		}
		for _, n := range []int{len(whole) - 1, len(whole) / 2, 1, 0} {
			if err := p.pack(dst, whole[:n:n]); !errors.Is(err, ErrPicture) {
				t.Errorf("%s of %d bytes instead of %d: %v; want ErrPicture", fourCC, n, len(whole), err)
			}
		}
	}
}

func TestRaw_ColoursAreThoseOfBT601(t *testing.T) {
	for name, c := range map[string]struct{ rgb, want [3]byte }{
		"black":  {[3]byte{0, 0, 0}, [3]byte{16, 128, 128}},
		"white":  {[3]byte{255, 255, 255}, [3]byte{235, 128, 128}},
		"red":    {[3]byte{255, 0, 0}, [3]byte{82, 90, 240}},
		"green":  {[3]byte{0, 255, 0}, [3]byte{145, 54, 34}},
		"blue":   {[3]byte{0, 0, 255}, [3]byte{41, 240, 110}},
		"yellow": {[3]byte{255, 255, 0}, [3]byte{210, 16, 146}},
	} {
		for _, fourCC := range []string{"RGB3", "BGR3"} {
			s := usable()
			s.FourCC, s.Width, s.Height, s.Stride = fourCC, 18, 16, 61
			pixel := c.rgb[:]
			if fourCC == "BGR3" {
				pixel = []byte{c.rgb[2], c.rgb[1], c.rgb[0]}
			}
			picture := bytes.Repeat(append(bytes.Repeat(pixel, 18), make([]byte, 61-54)...), 16)
			p, err := newRawPacker(s)
			if err != nil {
				t.Fatal(err)
			}
			got := newPlanes(s.Width, s.Height)
			if err := p.pack(got, picture); err != nil {
				t.Fatal(err)
			}
			for i, plane := range [][]byte{got.y, got.cb, got.cr} {
				for _, v := range plane {
					if d := int(v) - int(c.want[i]); d < -1 || d > 1 {
						t.Fatalf("%s in %s: plane %d has %d, want %d", name, fourCC, i, v, c.want[i])
					}
				}
			}
		}
	}
}

func TestRaw_GreyIsSqueezedIntoTheRangeOfVideo(t *testing.T) {
	s := usable()
	s.FourCC, s.Width, s.Height, s.Stride = "GREY", 256, 16, 300
	line := make([]byte, 300)
	for i := range 256 {
		line[i] = byte(i)
	}
	p, err := newRawPacker(s)
	if err != nil {
		t.Fatal(err)
	}
	got := newPlanes(s.Width, s.Height)
	if err := p.pack(got, bytes.Repeat(line, 16)); err != nil {
		t.Fatal(err)
	}
	for x := range 256 {
		exact := 16 + float64(x)*219/255
		if v := float64(got.y[5*256+x]); v < exact-0.75 || v > exact+0.75 {
			t.Errorf("%d becomes %g, want %.1f", x, v, exact)
		}
	}
	for i := range got.cb {
		if got.cb[i] != 128 || got.cr[i] != 128 {
			t.Fatalf("grey has colour: %d, %d", got.cb[i], got.cr[i])
		}
	}
}

func TestSWAR_AgreesWithBytesOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range []squeeze{squeezeLuma(), squeezeChroma()} {
		for range 2000 {
			a, b := r.Uint64(), r.Uint64()
			var wantMean, wantSqueeze uint64
			for i := range 8 {
				x, y := byte(a>>(8*i)), byte(b>>(8*i))
				wantMean |= uint64(meanByte(x, y)) << (8 * i)
				wantSqueeze |= uint64(s.byte(x)) << (8 * i)
			}
			if got := mean(a, b); got != wantMean {
				t.Fatalf("mean(%x, %x) = %x, want %x", a, b, got, wantMean)
			}
			if got := s.word(a); got != wantSqueeze {
				t.Fatalf("squeeze(%x) = %x, want %x", a, got, wantSqueeze)
			}
		}
	}
	for v := range 256 {
		exact := 128 + (float64(v)-128)*224/255
		if got := float64(squeezeChroma().byte(byte(v))); got < exact-0.75 || got > exact+0.75 {
			t.Errorf("chroma %d becomes %g, want %.1f", v, got, exact)
		}
	}
	if squeezeChroma().byte(128) != 128 {
		t.Error("no colour becomes one")
	}
}
