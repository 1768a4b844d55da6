package testpattern

import (
	"errors"
	"image"
	"image/color"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// drawStamp returns the luma samples of a picture that shows just a stamp.
func drawStamp(s Stamp, width, height int) []byte {
	luma := make([]byte, width*height)
	var sh stampShape
	sh.set(s, func(rect) {})
	var p pixels
	for y := 0; y < StampHeight; y += 16 {
		for x := 0; x < StampWidth; x += 16 {
			sh.paint(&p, x, y)
			for row := range 16 {
				copy(luma[(y+row)*width+x:], p.luma[row*16:row*16+16])
			}
		}
	}
	return luma
}

func TestStamp_LayoutIsAsDocumented(t *testing.T) {
	// 2023-11-14T22:13:20.1234Z: 17,000,000,001,234 units of 100 µs.
	s := Stamp{Time: time.Unix(1_700_000_000, 123_400_000).UTC(), Counter: 0x0A0B0C}
	want := [10]byte{0x0F, 0x76, 0x1E, 0xF6, 0x14, 0xD2, 0x0A, 0x0B, 0x0C}
	want[9] = crc8(want[:9])
	if diff := cmp.Diff(want, s.marshal()); diff != "" {
		t.Error(diff)
	}
	luma := drawStamp(s, 640, 32)
	for i := range 80 {
		v := luma[(i/40*16+8)*640+i%40*16+8]
		if one := want[i/8]>>(7-i%8)&1 == 1; one && v < 200 || !one && v > 40 {
			t.Errorf("bit %d is drawn with luma %d", i, v)
		}
	}
}

func TestCRC8_CheckValue(t *testing.T) {
	// The catalogued check value of CRC-8 with this polynomial and initial
	// value 0 is 0xF4.
	msg := []byte("123456789")
	msg[0] ^= 0xFF // cancels the initial value
	if got := crc8(msg); got != 0xF4 {
		t.Errorf("CRC is %#x, want 0xf4", got)
	}
}

func TestReadStamp_ReadsWhatWasDrawn(t *testing.T) {
	for _, s := range []Stamp{
		{Time: time.Unix(0, 0).UTC()},
		{Time: time.Date(2026, 11, 20, 23, 59, 59, 999_900_000, time.UTC), Counter: 1<<24 - 1},
		{Time: ticksTime(1<<48 - 1), Counter: 0x555555},
	} {
		got, err := ReadStamp(drawStamp(s, 700, 40), 700, 700, 40)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Error(diff)
		}
		img := &image.Gray{Pix: drawStamp(s, 700, 40), Stride: 700, Rect: image.Rect(-3, -5, 697, 35)}
		if got, err = ReadStampImage(img); err != nil || got != s {
			t.Errorf("from an image: %v, %v; want %v", got, err, s)
		}
	}
}

func TestStampTime_RoundsDownAndStaysInRange(t *testing.T) {
	for _, c := range []struct{ in, want time.Time }{
		{time.Unix(5, 99_999), time.Unix(5, 0)},
		{time.Unix(5, 100_000), time.Unix(5, 100_000)},
		{time.Unix(-5, 0), time.Unix(0, 0)},
		{time.Date(2027, 1, 1, 1, 0, 0, 999_999_999, time.FixedZone("", 3600)), time.Date(2027, 1, 1, 0, 0, 0, 999_900_000, time.UTC)},
	} {
		if got := StampTime(c.in); !got.Equal(c.want) || got.Location() != time.UTC {
			t.Errorf("StampTime(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestReadStamp_RefusesPicturesWithoutStamp(t *testing.T) {
	flipped := drawStamp(Stamp{Time: time.Unix(1e9, 0), Counter: 7}, 640, 32)
	for y := range 16 {
		for x := range 16 {
			flipped[y*640+160+x] ^= 0xFF
		}
	}
	white := make([]byte, 640*32)
	for i := range white {
		white[i] = 255
	}
	for name, c := range map[string]struct {
		luma                  []byte
		stride, width, height int
	}{
		"nothing":       {nil, 0, 0, 0},
		"narrow":        {make([]byte, 639*32), 639, 639, 32},
		"short":         {make([]byte, 640*31), 640, 640, 32},
		"stride":        {make([]byte, 640*32), 600, 640, 32},
		"negative":      {make([]byte, 640*32), -640, 640, 32},
		"huge stride":   {make([]byte, 640*32), math.MaxInt, 640, 32},
		"black":         {make([]byte, 640*32), 640, 640, 32},
		"white":         {white, 640, 640, 32},
		"one bit wrong": {flipped, 640, 640, 32},
	} {
		if s, err := ReadStamp(c.luma, c.stride, c.width, c.height); !errors.Is(err, ErrNoStamp) {
			t.Errorf("%s: got %v, %v; want ErrNoStamp", name, s, err)
		}
	}
	if _, err := ReadStampImage(image.NewUniform(color.White)); !errors.Is(err, ErrNoStamp) {
		t.Errorf("white image: %v; want ErrNoStamp", err)
	}
	if _, err := ReadStampImage(image.NewGray(image.Rect(0, 0, 100, 100))); !errors.Is(err, ErrNoStamp) {
		t.Errorf("small image: %v; want ErrNoStamp", err)
	}
}

func FuzzReadStamp(f *testing.F) {
	f.Add(drawStamp(Stamp{Time: time.Unix(1_700_000_000, 0), Counter: 3}, 640, 32), 640, 640, 32)
	f.Add([]byte{}, 0, 0, 0)
	f.Add(make([]byte, 640*32), math.MaxInt, 640, 32)
	f.Add(make([]byte, 640*32), -1, 640, 32)
	f.Fuzz(func(t *testing.T, luma []byte, stride, width, height int) {
		s, err := ReadStamp(luma, stride, width, height)
		if err != nil {
			if !errors.Is(err, ErrNoStamp) {
				t.Fatal(err)
			}
			return
		}
		if again, err := unmarshalStamp(s.marshal()); err != nil || again != s {
			t.Fatalf("%v reads back as %v, %v", s, again, err)
		}
	})
}
