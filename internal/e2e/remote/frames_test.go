package remote

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// numbers decodes a film and returns the numbers in its pictures, in order.
func numbers(t *testing.T, file string) []uint32 {
	t.Helper()
	crop := fmt.Sprintf("crop=%d:%d:0:0,format=gray", testpattern.StampWidth, testpattern.StampHeight)
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", file, "-map", "0:v", "-fps_mode", "passthrough", "-vf", crop, "-f", "rawvideo", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen []uint32
	picture := make([]byte, testpattern.StampWidth*testpattern.StampHeight)
	for {
		if _, err := io.ReadFull(out, picture); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		stamp, err := testpattern.ReadStamp(picture, testpattern.StampWidth, testpattern.StampWidth, testpattern.StampHeight)
		if err != nil {
			t.Errorf("picture %d: %v", len(seen), err)
			continue
		}
		seen = append(seen, stamp.Counter)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("decode %s: %v", file, err)
	}
	return seen
}

// gaps returns what is missing between the first and the last number: in each pair,
// those from the first up to, and without, the second. Numbers out of order are
// errors.
func gaps(t *testing.T, seen []uint32) (out [][2]uint32) {
	t.Helper()
	for i := 1; i < len(seen); i++ {
		switch was, is := seen[i-1], seen[i]; {
		case is <= was:
			t.Errorf("picture %d comes after picture %d", is, was)
		case is != was+1:
			out = append(out, [2]uint32{was + 1, is})
		}
	}
	return out
}
