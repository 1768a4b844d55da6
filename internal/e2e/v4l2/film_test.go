//go:build linux

package v4l2

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/nal"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// film is a test picture that was coded before, picture by picture. Its stamps count
// from 0.
type film [][]byte

// filmSize is the size of all films.
const filmWidth, filmHeight = 640, 360

// newFilm makes n pictures, at a rate, coded by ffmpeg as its arguments say.
func newFilm(t *testing.T, n, fps int, split func([]byte) film, args ...string) film {
	t.Helper()
	e, err := testpattern.New(testpattern.Options{Width: filmWidth, Height: filmHeight, FPS: fps})
	if err != nil {
		t.Fatal(err)
	}
	var in bytes.Buffer
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for range n {
		for _, unit := range e.Encode(at) {
			in.Write([]byte{0, 0, 0, 1})
			in.Write(unit)
		}
		at = at.Add(time.Second / time.Duration(fps))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-v", "error", "-f", "h264", "-r", fmt.Sprint(fps), "-i", "-"}, append(args, "-")...)...)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("make a film: %v\n%s", err, stderr.String())
	}
	f := split(out)
	if len(f) != n {
		t.Fatalf("the film has %d pictures, not %d", len(f), n)
	}
	return f
}

// jpegs are the arguments for pictures that are each a JPEG, as cameras send them.
func jpegs() []string {
	return []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-q:v", "4", "-f", "mjpeg"}
}

// splitJPEG takes a film of JPEGs apart: each begins with SOI and a marker.
func splitJPEG(data []byte) (f film) {
	begin := []byte{0xff, 0xd8, 0xff}
	for len(data) > 0 {
		i := bytes.Index(data[1:], begin)
		if i < 0 {
			return append(f, data)
		}
		f = append(f, data[:i+1])
		data = data[i+1:]
	}
	return f
}

// h265 are the arguments for H.265 without B-frames, with a delimiter before each
// picture and a key frame every second.
func h265(fps int) []string {
	return []string{
		"-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
		"-x265-params", fmt.Sprintf("log-level=none:aud=1:bframes=0:keyint=%d:min-keyint=%d:repeat-headers=1:scenecut=0", fps, fps), "-f", "hevc",
	}
}

// splitH265 takes a film apart at its delimiters (type 35, ITU-T H.265 §7.4.2.2).
func splitH265(data []byte) (f film) {
	units, err := nal.SplitAnnexB(data)
	if err != nil {
		return nil
	}
	for _, u := range units {
		if u[0]>>1&63 == 35 {
			f = append(f, nil)
		}
		if len(f) > 0 {
			last := &f[len(f)-1]
			*last = append(append(*last, 0, 0, 0, 1), u...)
		}
	}
	return f
}

// show puts a film where a writer finds it.
func (w *world) film(t *testing.T, path string, f film) {
	t.Helper()
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode([][]byte(f)); err != nil {
		t.Fatal(err)
	}
	w.Put(t, path, 0o644, &data)
}
