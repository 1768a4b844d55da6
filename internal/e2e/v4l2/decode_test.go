//go:build linux

package v4l2

import (
	"bytes"
	"context"
	"fmt"
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
	frames, err := tryDecode(t.Context(), pictures, width, height)
	if err != nil {
		t.Fatalf("decode %d pictures: %v", len(pictures), err)
	}
	return frames
}

func tryDecode(ctx context.Context, pictures []picture, width, height int) (frames []frame, err error) {
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
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-threads", "1", "-f", format, "-i", "-",
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-autoscale", "0", "-")
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	for part := range slices.Chunk(out, width*height*3/2) {
		if len(part) < width*height*3/2 {
			return nil, fmt.Errorf("they are not all %dx%d", width, height)
		}
		frames = append(frames, frame{width, height, part})
	}
	if len(frames) != len(pictures) {
		return nil, fmt.Errorf("only %d can be decoded", len(frames))
	}
	return frames, nil
}

// stamps reads the numbers in test pictures. Each must have one.
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

// flawless waits until so many groups of pictures have come after a number of others,
// each from a key frame to the next, in which not one is missing, late or spoilt. Between
// them a driver may lose some: an emulated machine on a busy computer does not run all the
// time. The numbers of a film that is shown over and over begin again after its length; 0
// is none.
func flawless(t *testing.T, w *watching, camera string, from, groups, width, height, film int) (good, all int) {
	t.Helper()
	const least = 10 // pictures, to be called a group
	for found, n := 0, 1; found < groups; n++ {
		if n > 30*groups+30 {
			t.Fatalf("of %d groups of pictures only %d are flawless", n, found)
		}
		list := w.groups(camera, from, n)[all:]
		all += len(list)
		if frames, err := tryDecode(t.Context(), list, width, height); err == nil && len(frames) >= least && rises(frames, film) {
			good += len(list)
			found++
		}
	}
	return good, all
}

// rises reports whether all pictures have their numbers, one after the other.
func rises(frames []frame, film int) bool {
	var last uint32
	for i, f := range frames {
		s, err := testpattern.ReadStamp(f.data, f.width, f.width, f.height)
		if err != nil {
			return false
		}
		next := last + 1
		if film > 0 {
			next %= uint32(film)
		}
		if i > 0 && s.Counter != next {
			return false
		}
		last = s.Counter
	}
	return true
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
