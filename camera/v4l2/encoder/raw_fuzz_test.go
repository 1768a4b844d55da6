package encoder

import (
	"errors"
	"testing"
)

// Whatever a driver says of its pictures and whatever it delivers, a picture is packed
// or refused. Slices end where the picture does, so that reading beyond it panics.
func FuzzRaw(f *testing.F) {
	for i, fourCC := range append(yuvFormats(), "GREY", "RGB3", "BGR3") {
		s := usable()
		s.FourCC, s.Width, s.Height = fourCC, 18+i%2, 16
		s.Stride = tightStride(fourCC, s.Width)
		f.Add(fourCC, s.Width, s.Height, s.Stride, draw(s, source{}))
		f.Add(fourCC, s.Width, s.Height, 0, draw(s, source{})[:s.Stride*8])
	}
	f.Fuzz(func(t *testing.T, fourCC string, width, height, stride int, picture []byte) {
		s := usable()
		s.FourCC, s.Width, s.Height, s.Stride = fourCC, width, height, stride
		if s.check() != nil || !isRaw(fourCC) || width*height > 1<<18 {
			return
		}
		p, err := newRawPacker(s)
		if err != nil {
			if !errors.Is(err, errSettings) {
				t.Fatal(err)
			}
			return
		}
		dst := newPlanes(width, height)
		if err := p.pack(dst, picture[:len(picture):len(picture)]); err != nil && !errors.Is(err, ErrPicture) {
			t.Fatal(err)
		}
		if len(dst.y) != dst.width*dst.height || len(dst.cb) != len(dst.y)/4 || len(dst.cr) != len(dst.cb) {
			t.Fatalf("planes of %d, %d and %d bytes for %dx%d", len(dst.y), len(dst.cb), len(dst.cr), dst.width, dst.height)
		}
	})
}
