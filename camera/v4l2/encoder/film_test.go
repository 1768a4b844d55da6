//go:build device && cgo

package encoder

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/h264"
)

// film is what a camera sees: pictures in I420, by ffmpeg.
type film struct {
	width, height int
	frames        [][]byte
}

// shoot makes a film of things that move, with the noise of a sensor if there is to be
// some (0 to 100).
func shoot(tb testing.TB, width, height, frames, noise int) film {
	tb.Helper()
	out := ffmpeg(tb, nil, fmt.Sprintf("-f lavfi -i testsrc2=size=%dx%d:rate=30,noise=all_seed=7:alls=%d:allf=t -frames:v %d -pix_fmt yuv420p -f rawvideo -",
		width, height, noise, frames))
	return film{width, height, cut(tb, out, frames)}
}

// as returns the film in another of ffmpeg's pixel formats.
func (f film) as(tb testing.TB, format string) [][]byte {
	tb.Helper()
	out := ffmpeg(tb, bytes.Join(f.frames, nil), fmt.Sprintf("-f rawvideo -pix_fmt yuv420p -s %dx%d -i - -pix_fmt %s -f rawvideo -", f.width, f.height, format))
	return cut(tb, out, len(f.frames))
}

// jpegs returns the film as a camera sends it in a format of ffmpeg's, with the
// standard's Huffman tables, as good as scale says (2 is best, 31 worst).
func (f film) jpegs(tb testing.TB, format string, scale int) [][]byte {
	tb.Helper()
	out := ffmpeg(tb, bytes.Join(f.frames, nil), fmt.Sprintf("-f rawvideo -pix_fmt yuv420p -s %dx%d -i - -pix_fmt %s -c:v mjpeg -huffman default -q:v %d -f mjpeg -", f.width, f.height, format, scale))
	var pictures [][]byte
	start := []byte{0xff, markerSOI, 0xff}
	for len(out) > 0 {
		end := len(out)
		if next := bytes.Index(out[2:], start); next >= 0 {
			end = next + 2
		}
		pictures, out = append(pictures, out[:end:end]), out[end:]
	}
	if len(pictures) != len(f.frames) {
		tb.Fatalf("ffmpeg made %d JPEGs of %d pictures", len(pictures), len(f.frames))
	}
	return pictures
}

// picture returns frame i of the film played forth and back for ever.
func played(frames [][]byte, i int) []byte {
	last := len(frames) - 1
	if i %= 2 * last; i > last {
		i = 2*last - i
	}
	return frames[i]
}

func cut(tb testing.TB, all []byte, frames int) [][]byte {
	tb.Helper()
	n := len(all) / frames
	if n == 0 || n*frames != len(all) {
		tb.Fatalf("%d bytes are not %d pictures", len(all), frames)
	}
	out := make([][]byte, frames)
	for i := range out {
		out[i] = all[i*n : (i+1)*n : (i+1)*n]
	}
	return out
}

// spread gives lines of n bytes a stride, with something in the gaps.
func spread(plane []byte, n, stride int) []byte {
	out := bytes.Repeat([]byte{0xee}, len(plane)/n*stride)
	for i := range len(plane) / n {
		copy(out[i*stride:], plane[i*n:(i+1)*n])
	}
	return out
}

// decode returns the pictures of units, in I420, as ffmpeg decodes them.
func decode(tb testing.TB, units [][]byte) [][]byte {
	tb.Helper()
	return cut(tb, ffmpeg(tb, bytes.Join(units, nil), "-xerror -f h264 -i - -vsync passthrough -pix_fmt yuv420p -f rawvideo -"), len(units))
}

// psnr compares samples, in dB.
func psnr(a, b []byte) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	sum := 0
	for i, v := range a {
		d := int(v) - int(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/max(float64(sum), 1e-9))
}

// checkLike compares pictures in I420, plane by plane.
func checkLike(t *testing.T, f film, got [][]byte, planes int) {
	t.Helper()
	n := f.width * f.height
	worst := math.Inf(1)
	for i, want := range f.frames {
		for p, r := range [][2]int{{0, n}, {n, n + n/4}, {n + n/4, n + n/2}}[:planes] {
			db := psnr(want[r[0]:r[1]], got[i][r[0]:r[1]])
			worst = min(worst, db)
			if !(db > 30) {
				t.Fatalf("plane %d of picture %d: %.1f dB, want more than 30", p, i, db)
			}
		}
	}
	t.Logf("%.1f dB at worst", worst)
}

// ffmpeg runs ffmpeg and returns what it writes. Anything it complains of fails the test.
func ffmpeg(tb testing.TB, stdin []byte, args string) []byte {
	tb.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("ffmpeg is not installed")
		}
		tb.Skip("needs ffmpeg")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-nostdin", "-v", "error"}, strings.Fields(args)...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		tb.Fatalf("ffmpeg %s: %v: %s", args, err, stderr.String())
	}
	return out
}

// start makes an encoder that the test closes. It takes no time that it knows of: on a
// machine that has other things to do it would go on at another speed, with a key frame.
func start(tb testing.TB, s Settings) *Encoder {
	tb.Helper()
	e, err := New(s)
	if err != nil {
		tb.Fatal(err)
	}
	e.now = func() time.Time { return time.Time{} }
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// encode returns the unit of each picture.
func encode(tb testing.TB, e *Encoder, pictures [][]byte) [][]byte {
	tb.Helper()
	units := make([][]byte, len(pictures))
	for i, p := range pictures {
		unit, err := e.Encode(p, false)
		if err != nil {
			tb.Fatalf("picture %d: %v", i, err)
		}
		units[i] = bytes.Clone(unit)
	}
	return units
}

// nals splits a unit.
func nals(tb testing.TB, unit []byte) [][]byte {
	tb.Helper()
	out, err := h264.SplitAnnexB(unit)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
