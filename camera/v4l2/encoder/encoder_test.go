//go:build device && cgo

package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/codecs/h264"
)

// settings fits a film of good quality.
func (f film) settings(fourCC string) Settings {
	return Settings{FourCC: fourCC, Width: f.width, Height: f.height, Rate: 30, Bitrate: 8_000_000, KeyInterval: 60}
}

// Unit N is picture N, in every format, with and without gaps between lines.
func TestEncode_PicturesOfEveryRawFormatComeOutAsTheyWere(t *testing.T) {
	f := shoot(t, 854, 480, 3, 4)
	cases := []struct {
		fourCC, ffmpeg string
		strides        []int
	}{
		{"YUYV", "yuyv422", []int{0, 1728}},
		{"YVYU", "yvyu422", []int{1709}},
		{"UYVY", "uyvy422", []int{1712}},
		{"NV12", "nv12", []int{0, 896}},
		{"NV21", "nv21", []int{864}},
		{"YU12", "yuv420p", []int{0, 896}},
		{"YV12", "yuv420p", []int{880}},
		{"GREY", "gray", []int{0, 1001}},
		{"RGB3", "rgb24", []int{0}},
		{"BGR3", "bgr24", []int{2565}},
	}
	var units [][]byte
	var names []string
	for _, c := range cases {
		tight := f.as(t, c.ffmpeg)
		for _, stride := range c.strides {
			s := f.settings(c.fourCC)
			s.Stride = stride
			pictures := make([][]byte, len(tight))
			for i, p := range tight {
				pictures[i] = f.laidOut(c.fourCC, p, stride)
			}
			units = append(units, encode(t, start(t, s), pictures)...)
			names = append(names, fmt.Sprintf("%s stride %d", c.fourCC, stride))
		}
	}
	decoded := decode(t, units)
	for i, name := range names {
		planes := 3
		if strings.HasPrefix(name, "GREY") {
			planes = 1
		}
		t.Run(name, func(t *testing.T) { checkLike(t, f, decoded[i*3:][:3], planes) })
	}
}

// laidOut gives a picture without gaps the stride of a device, and YV12 its order.
func (f film) laidOut(fourCC string, p []byte, stride int) []byte {
	w, n := tightStride(fourCC, f.width), f.width*f.height
	if stride == 0 {
		stride = w
	}
	switch fourCC {
	case "YU12", "YV12":
		y, first, second := p[:n], p[n:n+n/4], p[n+n/4:]
		if fourCC == "YV12" {
			first, second = second, first
		}
		return slices.Concat(spread(y, w, stride), spread(first, w/2, stride/2), spread(second, w/2, stride/2))
	}
	return spread(p, w, stride)
}

func TestEncode_AnOddSizeIsCroppedToAnEvenOne(t *testing.T) {
	f := shoot(t, 642, 482, 3, 0)
	const width, height = 641, 481
	n := f.width * f.height
	pictures := make([][]byte, len(f.frames))
	for i, p := range f.frames { // GREY of 641 by 481 out of a bigger one
		for y := range height {
			pictures[i] = append(pictures[i], p[y*f.width:][:width]...)
		}
	}
	s := f.settings("GREY")
	s.Width, s.Height = width, height
	units := encode(t, start(t, s), pictures)
	info, err := h264.ParseSPS(nals(t, units[0])[0])
	if err != nil || info.Width != 640 || info.Height != 480 {
		t.Fatalf("the video has %dx%d (%v), want 640x480", info.Width, info.Height, err)
	}
	for i, got := range decode(t, units) {
		want := make([]byte, 0, 640*480)
		for y := range 480 {
			want = append(want, f.frames[i][:n][y*f.width:][:640]...)
		}
		for j := range want {
			want[j] = squeezeLuma().byte(want[j])
		}
		if db := psnr(want, got[:640*480]); !(db > 30) {
			t.Errorf("picture %d: %.1f dB", i, db)
		}
	}
}

// A key frame begins with its parameter sets, comes when it is asked for and at the
// latest after the interval; no picture is held back for a B-frame.
func TestEncode_KeyFramesOnDemandAndByInterval(t *testing.T) {
	f := shoot(t, 320, 240, 70, 2)
	s := f.settings("YU12")
	s.KeyInterval = 20
	e := start(t, s)
	wanted := map[int]bool{7: true, 33: true, 34: true}
	var keys []int
	var units [][]byte
	for i, p := range f.frames {
		unit, err := e.Encode(p, wanted[i])
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, bytes.Clone(unit))
		if checkUnit(t, i, unit) {
			keys = append(keys, i)
		}
	}
	if want := []int{0, 7, 27, 33, 34, 54}; !slices.Equal(keys, want) {
		t.Errorf("key frames are %v, want %v", keys, want)
	}
	checkLike(t, f, decode(t, units), 3)
	// Who comes at a key frame needs nothing from before.
	later := film{f.width, f.height, f.frames[33:]}
	checkLike(t, later, decode(t, units[33:]), 3)
}

// checkUnit checks that a unit is one picture that can be sent at once, and returns
// whether it is a key frame.
func checkUnit(t *testing.T, i int, unit []byte) (key bool) {
	t.Helper()
	list := nals(t, unit)
	key = h264.IsKey(list)
	var types []h264.NALType
	pictures := 0
	for _, n := range list {
		typ := h264.TypeOf(n)
		types = append(types, typ)
		if !typ.VCL() {
			continue
		}
		slice, err := h264.ParseSlice(n)
		if err != nil {
			t.Fatal(err)
		}
		if slice.FirstMB == 0 {
			pictures++
		}
		if slice.Type == h264.B {
			t.Errorf("unit %d has a B-slice", i)
		}
	}
	sets := slices.Contains(types, h264.SPS) && slices.Contains(types, h264.PPS)
	if pictures != 1 || key != sets || (key && types[0] != h264.SPS) {
		t.Errorf("unit %d: %d pictures, key %v, made of %v", i, pictures, key, types)
	}
	return key
}

// A request for a key frame survives a picture that cannot be used.
func TestEncode_ARequestForAKeyFrameWaitsForTheNextUsablePicture(t *testing.T) {
	f := shoot(t, 320, 240, 8, 2)
	e := start(t, f.settings("YU12"))
	encode(t, e, f.frames[:4])
	if _, err := e.Encode(f.frames[4][:1000], true); !errors.Is(err, ErrPicture) {
		t.Fatalf("a picture cut off: %v; want ErrPicture", err)
	}
	for i, want := range []bool{true, false} {
		unit, err := e.Encode(f.frames[5+i], false)
		if err != nil {
			t.Fatal(err)
		}
		if h264.IsKey(nals(t, unit)) != want {
			t.Errorf("picture %d after it: key frame is %v, want %v", i, !want, want)
		}
	}
}

// The bitrate is met over ten seconds at every rate, and no unit holds up those behind
// it for long.
func TestEncode_TheBitrateIsMet(t *testing.T) {
	f := shoot(t, 640, 360, 100, 12)
	for _, c := range []struct {
		rate    float64
		bitrate int
	}{{10, 600_000}, {15, 1_500_000}, {30, 800_000}, {30, 2_000_000}} {
		t.Run(fmt.Sprintf("%g a second at %d bit/s", c.rate, c.bitrate), func(t *testing.T) {
			s := f.settings("YU12")
			s.Rate, s.Bitrate, s.KeyInterval = c.rate, c.bitrate, int(2*c.rate)
			e := start(t, s)
			total, biggest := 0, 0
			for i := range int(10 * c.rate) {
				unit, err := e.Encode(played(f.frames, i), false)
				if err != nil {
					t.Fatal(err)
				}
				total += len(unit)
				biggest = max(biggest, len(unit))
			}
			share := float64(total*8) / 10 / float64(c.bitrate)
			hold := float64(biggest*8) / float64(c.bitrate)
			t.Logf("%.2f of the bitrate, biggest unit %d bytes: %.2f s of it", share, biggest, hold)
			if math.Abs(share-1) > 0.2 {
				t.Errorf("%.2f of the bitrate was used", share)
			}
			if hold > 1 {
				t.Errorf("a unit takes %.2f s of the bitrate", hold)
			}
		})
	}
}

// Close may come from another goroutine at any time.
func TestClose_WhilePicturesAreEncoded(t *testing.T) {
	e := start(t, usable())
	begun, done := make(chan struct{}), make(chan error)
	go func() {
		picture := make([]byte, 640*480*2)
		for i := 0; ; i++ {
			if _, err := e.Encode(picture, i%5 == 0); err != nil {
				done <- err
				return
			}
			if i == 3 {
				close(begun)
			}
		}
	}()
	<-begun
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func TestClose_TwiceIsFineAndNothingIsEncodedAfterIt(t *testing.T) {
	f := shoot(t, 320, 240, 2, 0)
	e := start(t, f.settings("YU12"))
	encode(t, e, f.frames)
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if unit, err := e.Encode(f.frames[0], false); unit != nil || err == nil || errors.Is(err, ErrPicture) {
		t.Errorf("after Close: %d bytes, %v; want an error that is not about the picture", len(unit), err)
	}
}

func TestNew_UnusableSettingsAreRefused(t *testing.T) {
	for _, s := range []Settings{{}, {FourCC: "YUYV", Width: 640, Height: 480}, {FourCC: "YUYV", Width: 640, Height: 480, Stride: 640, Rate: 30, Bitrate: 1e6, KeyInterval: 60}} {
		if e, err := New(s); e != nil || !errors.Is(err, errSettings) {
			t.Errorf("New(%+v): %v, %v", s, e, err)
		}
	}
	if Name == "" {
		t.Error("an encoder without a name")
	}
}

// complaints returns what the library writes to standard error for one encoder.
func complaints(t *testing.T) string {
	t.Helper()
	const child = "SIGHTLINE_TEST_ENCODER_CHILD"
	if os.Getenv(child) != "" {
		e := start(t, usable())
		encode(t, e, [][]byte{make([]byte, 640*480*2), make([]byte, 640*480*2)})
		fmt.Fprint(os.Stdout, "encoded two pictures\n")
		return "" // the parent judges
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), child+"=yes")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte("encoded two pictures")) {
		t.Fatalf("%v\n%s\n%s", err, out, stderr.String())
	}
	return stderr.String()
}
