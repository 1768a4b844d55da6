//go:build linux

package v4l2

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// frame is a decoded picture: Y, then U and V at half the size.
type frame struct {
	width, height int
	data          []byte
}

// decode decodes pictures by a decoder that is not ours. Every one must come out, in
// the given size.
func decode(t *testing.T, pictures []picture, width, height int) []frame {
	t.Helper()
	format := "h264"
	if pictures[0].codec == codecs.H265 {
		format = "hevc"
	}
	var in bytes.Buffer
	for _, p := range pictures {
		for _, unit := range p.Payload {
			in.Write([]byte{0, 0, 0, 1})
			in.Write(unit)
		}
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-threads", "1", "-f", format, "-i", "-",
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-autoscale", "0", "-")
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("decode %d pictures: %v\n%s", len(pictures), err, stderr.String())
	}
	size := width * height * 3 / 2
	var frames []frame
	for part := range slices.Chunk(out, size) {
		if len(part) < size {
			t.Fatalf("the decoded pictures are not all %dx%d", width, height)
		}
		frames = append(frames, frame{width, height, part})
	}
	if len(frames) != len(pictures) {
		t.Errorf("of %d pictures %d can be decoded", len(pictures), len(frames))
	}
	return frames
}

// stamps reads the numbers in test pictures.
func stamps(t *testing.T, frames []frame) (numbers []uint32) {
	t.Helper()
	for i, f := range frames {
		s, err := testpattern.ReadStamp(f.data, f.width, f.width, f.height)
		if err != nil {
			t.Fatalf("picture %d of %d: %v", i, len(frames), err)
		}
		numbers = append(numbers, s.Counter)
	}
	return numbers
}

// missing counts the numbers that are left out. They must rise; those of a film that
// is shown over and over begin again after the length of the film.
func missing(t *testing.T, numbers []uint32, film int) (n int) {
	t.Helper()
	for i := 1; i < len(numbers); i++ {
		step := int(numbers[i]) - int(numbers[i-1])
		if film > 0 {
			step = (step + film) % film
		}
		if step <= 0 {
			t.Fatalf("picture %d comes after picture %d", numbers[i], numbers[i-1])
		}
		n += step - 1
	}
	return n
}

// colour is a Y, a U and a V.
type colour [3]int

// bars are the colours that vivid shows from the left to the right (75 %, BT.601).
func bars() []colour {
	return []colour{
		{180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58},
		{84, 184, 198}, {65, 100, 212}, {35, 212, 114}, {16, 128, 128},
	}
}

// tolerance is what compression may do to a colour's average.
const tolerance = 14

// showsBars checks that a picture has vivid's colour bars, where no text is.
func showsBars(t *testing.T, f frame) {
	t.Helper()
	for i, want := range bars() {
		x := (2*i + 1) * f.width / 16
		got := f.average(x-f.width/48, f.height*3/4, f.width/24, f.height/8)
		for c := range want {
			if d := got[c] - want[c]; d > tolerance || d < -tolerance {
				t.Errorf("bar %d of 8 is YUV %v, not %v", i+1, got, want)
				break
			}
		}
	}
}

// average returns the average colour of a rectangle.
func (f frame) average(x, y, width, height int) (c colour) {
	u := f.width * f.height
	v := u + u/4
	n := 0
	for row := y &^ 1; row < y+height; row += 2 {
		for col := x &^ 1; col < x+width; col += 2 {
			half := row/2*(f.width/2) + col/2
			c[0] += int(f.data[row*f.width+col])
			c[1] += int(f.data[u+half])
			c[2] += int(f.data[v+half])
			n++
		}
	}
	for i := range c {
		c[i] /= n
	}
	return c
}

// changes counts the pictures that differ from the one before.
func changes(frames []frame) (n int) {
	for i := 1; i < len(frames); i++ {
		if !bytes.Equal(frames[i].data, frames[i-1].data) {
			n++
		}
	}
	return n
}
