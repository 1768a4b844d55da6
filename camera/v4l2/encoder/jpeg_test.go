//go:build device && cgo

package encoder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"testing"
)

func TestJPEG_EverySubsamplingComesOutAsItWas(t *testing.T) {
	f := shoot(t, 854, 480, 3, 4)
	for _, format := range []string{"yuvj420p", "yuvj422p", "yuvj444p"} {
		t.Run(format, func(t *testing.T) {
			checkLike(t, f, decode(t, encode(t, start(t, f.settings("MJPG")), f.jpegs(t, format, 2))), 3)
		})
	}
}

// What cameras do to JPEGs: no Huffman tables, padding, no end.
func TestJPEG_FramesOfUSBCameras(t *testing.T) {
	f := shoot(t, 640, 360, 3, 4)
	sound := f.jpegs(t, "yuvj422p", 2)
	var names []string
	var units [][]byte
	for name, change := range map[string]func([]byte) []byte{
		"without Huffman tables": withoutTables,
		"zeros behind":           func(p []byte) []byte { return append(bytes.Clone(p), make([]byte, 5000)...) },
		"anything behind":        func(p []byte) []byte { return append(bytes.Clone(p), p[:5000]...) },
		"without an end":         func(p []byte) []byte { return p[:len(p)-2] },
		"without either":         func(p []byte) []byte { p = withoutTables(p); return p[:len(p)-2] },
		"fill bytes":             func(p []byte) []byte { return append([]byte{0xff, markerSOI, 0xff, 0xff, 0xff}, p[2:]...) },
	} {
		pictures := make([][]byte, len(sound))
		for i, p := range sound {
			pictures[i] = change(p)
		}
		names = append(names, name)
		units = append(units, encode(t, start(t, f.settings("JPEG")), pictures)...)
	}
	decoded := decode(t, units)
	for i, name := range names {
		t.Run(name, func(t *testing.T) { checkLike(t, f, decoded[3*i:][:3], 3) })
	}
}

// withoutTables removes the DHT segments.
func withoutTables(picture []byte) []byte {
	out := bytes.Clone(picture[:2])
	for at := 2; ; {
		n := 2 + int(binary.BigEndian.Uint16(picture[at+2:]))
		switch picture[at+1] {
		case markerSOS:
			return append(out, picture[at:]...)
		case markerDHT:
		default:
			out = append(out, picture[at:at+n]...)
		}
		at += n
	}
}

func TestJPEG_DamagedPicturesAreRefusedAndTheNextIsFine(t *testing.T) {
	f, other := shoot(t, 640, 360, 2, 4), shoot(t, 640, 368, 1, 4)
	good := f.jpegs(t, "yuvj422p", 2)[0]
	e := start(t, f.settings("MJPG"))
	scan, _, err := findScan(good)
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(good)
	sof := bytes.Index(huge, []byte{0xff, 0xc0})
	copy(huge[sof+5:], []byte{0xff, 0xff, 0xff, 0xff}) // 65535x65535: 8 GB
	bad := map[string][]byte{
		"of another size":     other.jpegs(t, "yuvj422p", 2)[0],
		"of an enormous size": huge,
		"empty":               nil,
		"no JPEG":             make([]byte, 5000),
		"a start alone":       good[:2],
		"tables alone":        good[:scan],
		"half":                good[:scan+(len(good)-scan)/2],
		"all but the end":     good[:len(good)-100],
		"no quantization":     withoutQuantization(good),
	}
	for _, n := range []int{3, 4, 5, 20, 100, sof + 1, sof + 6, scan + 1, scan + 5, scan + 12} {
		bad[fmt.Sprintf("%d bytes", n)] = good[:n]
	}
	for name, picture := range bad {
		if unit, err := e.Encode(picture, false); unit != nil || !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %d bytes, %v; want ErrPicture", name, len(unit), err)
		}
		if _, err := e.Encode(good, false); err != nil {
			t.Errorf("the next one after %s: %v", name, err)
		}
	}
}

// withoutQuantization changes the tables' marker to a comment's.
func withoutQuantization(picture []byte) []byte {
	return bytes.ReplaceAll(picture, []byte{0xff, 0xdb}, []byte{0xff, 0xfe})
}

func TestJPEG_Grey(t *testing.T) {
	f := shoot(t, 640, 360, 3, 4)
	pictures := f.as(t, "gray")
	for i, p := range pictures {
		var b bytes.Buffer
		img := &image.Gray{Pix: p, Stride: f.width, Rect: image.Rect(0, 0, f.width, f.height)}
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		pictures[i] = b.Bytes()
	}
	checkLike(t, f, decode(t, encode(t, start(t, f.settings("MJPG")), pictures)), 1)
}

// Each sample of the chroma is where the subsampling says, for those too that only a
// hostile device would use.
func TestJPEG_ChromaOfAnySubsampling(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio422,
		image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		for _, size := range [][2]int{{32, 16}, {34, 18}, {37, 21}, {46, 18}} {
			img := image.NewYCbCr(image.Rect(0, 0, size[0], size[1]), ratio)
			at := func(plane, x, y int) byte { return byte(16*plane + 3*x + 2*y) } // smooth, so that means are near
			for y := range size[1] {
				for x := range size[0] {
					img.Y[img.YOffset(x, y)] = at(0, x, y)
					img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = at(1, x, y), at(2, x, y)
				}
			}
			s := usable()
			s.Width, s.Height = size[0], size[1]
			dst := newPlanes(s.Width, s.Height)
			if err := newJPEGPacker(s).colour(dst, img); err != nil {
				t.Fatal(err)
			}
			for y := range dst.height / 2 {
				for x := range dst.width / 2 {
					for plane, got := range map[int][]byte{1: dst.cb, 2: dst.cr} {
						want := squeezeChroma().byte(at(plane, 2*x, 2*y))
						if d := int(got[y*dst.width/2+x]) - int(want); d < -12 || d > 12 {
							t.Fatalf("%v of %v: chroma %d at %d,%d is %d, want about %d", ratio, size, plane, x, y, got[y*dst.width/2+x], want)
						}
					}
				}
			}
			for y := range dst.height {
				for x := range dst.width {
					if dst.y[y*dst.width+x] != squeezeLuma().byte(at(0, x, y)) {
						t.Fatalf("%v of %v: luma at %d,%d", ratio, size, x, y)
					}
				}
			}
		}
	}
}

// Whatever a device sends as a JPEG, it is packed or refused.
func FuzzJPEG(f *testing.F) {
	img := image.NewYCbCr(image.Rect(0, 0, 48, 32), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = byte(i * 5)
	}
	grey := image.NewGray(img.Rect)
	for _, i := range []image.Image{img, grey} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, i, nil); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
		f.Add(withoutTables(b.Bytes()))
		f.Add(b.Bytes()[:b.Len()-20])
	}
	s := usable()
	s.FourCC, s.Width, s.Height = "MJPG", 48, 32
	dst := newPlanes(s.Width, s.Height)
	p := newJPEGPacker(s)
	f.Fuzz(func(t *testing.T, picture []byte) {
		if err := p.pack(dst, picture[:len(picture):len(picture)]); err != nil && !errors.Is(err, ErrPicture) {
			t.Fatal(err)
		}
	})
}
