package testpattern

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// decodeCase is a stream and the instants of its frames.
type decodeCase struct {
	options Options
	frames  int
	step    time.Duration
	force   int // a frame before which a key frame is asked for
}

func decodeCases() map[string]decodeCase {
	return map[string]decodeCase{
		"720p as small as it comes": {Options{}, 120, 40 * time.Millisecond, 71},
		"720p 2 Mbit GOP 4 s":       {Options{Bitrate: 2_000_000, GOP: 4 * time.Second, Title: "Haustür"}, 110, 40 * time.Millisecond, -1},
		"sub":                       {Options{Width: 640, Height: 360, Bitrate: 400_000}, 320, 40 * time.Millisecond, 3},
		"sub GOP 10 s":              {Options{Width: 640, Height: 360, GOP: 10 * time.Second}, 320, 40 * time.Millisecond, -1},
		"cropped, 30 fps, densest":  {Options{Width: 1002, Height: 702, FPS: 30, Bitrate: MaxBitrate(1002, 702, 30)}, 120, 33_366_700, 60},
		"over midnight, slow":       {Options{Width: 960, Height: 540, FPS: 1, GOP: time.Minute}, 200, 977 * time.Second, -1},
	}
}

// picture is what one frame must decode to.
type picture struct {
	samples [sha256.Size]byte // hash of the encoder's own picture
	stamp   Stamp
}

// encode writes the case as an Annex B byte stream into a file, and returns
// its name and the pictures in it.
func (c decodeCase) encode(t *testing.T) (name string, want []picture) {
	t.Helper()
	e, err := New(c.options)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	at := time.Date(2026, 12, 31, 23, 59, 52, 123_456_789, time.UTC)
	for i := range c.frames {
		if i == c.force {
			e.ForceKey()
		}
		for _, n := range e.Encode(at) {
			b.Write([]byte{0, 0, 0, 1})
			b.Write(n)
		}
		want = append(want, picture{sha256.Sum256(e.cropped()), Stamp{at.Truncate(StampResolution), uint32(i)}})
		at = at.Add(c.step)
	}
	name = filepath.Join(t.TempDir(), "stream.h264")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name, want
}

// program returns the path of a program, or skips the test; under CI=true its
// absence is a failure.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed: a decoder that is not ours is needed", name)
	}
	return path
}

func TestEncoder_DecoderSeesExactlyWhatWasEncoded(t *testing.T) {
	ffmpeg := program(t, "ffmpeg")
	for name, c := range decodeCases() {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			o, err := c.options.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			file, want := c.encode(t)
			cmd := exec.CommandContext(ctx, ffmpeg, "-nostdin", "-v", "error", "-xerror", "-threads", "1", "-f", "h264", "-i", file,
				"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1")
			var complaints bytes.Buffer
			cmd.Stderr = &complaints
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			compareFrames(t, o, want, out)
			if rest, err := io.Copy(io.Discard, out); rest != 0 || err != nil {
				t.Errorf("%d bytes more than there are frames, %v", rest, err)
			}
			if err := cmd.Wait(); err != nil || complaints.Len() > 0 {
				t.Errorf("the decoder complains: %v\n%s", err, complaints.String())
			}
		})
	}
}

// compareFrames reads decoded frames and holds them against the encoder's own
// pictures and the stamps that it drew.
func compareFrames(t *testing.T, o Options, want []picture, decoded io.Reader) {
	t.Helper()
	got := make([]byte, o.Width*o.Height*3/2)
	for i, p := range want {
		if _, err := io.ReadFull(decoded, got); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		stamp, err := ReadStamp(got, o.Width, o.Width, o.Height)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if diff := cmp.Diff(p.stamp, stamp); diff != "" {
			t.Fatalf("frame %d: %s", i, diff)
		}
		if sha256.Sum256(got) != p.samples {
			t.Fatalf("frame %d: decoded otherwise than encoded", i)
		}
	}
}

// cropped returns the encoder's picture as a decoder outputs it.
func (e *Encoder) cropped() []byte {
	w, h, f := e.options.Width, e.options.Height, &e.slice.frame
	out := make([]byte, 0, w*h*3/2)
	for y := range h {
		out = append(out, f.luma[y*f.mbWidth*16:][:w]...)
	}
	for c := range 2 {
		for y := range h / 2 {
			out = append(out, f.chroma[c][y*f.mbWidth*8:][:w/2]...)
		}
	}
	return out
}

func TestEncoder_StreamTellsWhatItIs(t *testing.T) {
	ffprobe := program(t, "ffprobe")
	for _, c := range []struct {
		options Options
		level   int
	}{
		{Options{}, 31},
		{Options{Width: 640, Height: 360, FPS: 15}, 31},
		{Options{Width: 1920, Height: 1080, FPS: 30}, 40},
		{Options{Width: 3840, Height: 2160, FPS: 30}, 51},
	} {
		o, err := c.options.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		file, _ := decodeCase{options: c.options, frames: 3, step: time.Second / 25, force: -1}.encode(t)
		out, err := exec.CommandContext(ctx, ffprobe, "-v", "error", "-show_entries",
			"stream=codec_name,profile,level,width,height,pix_fmt,has_b_frames,color_space,color_range,color_primaries,color_transfer,r_frame_rate,refs",
			"-of", "default=noprint_wrappers=1", file).CombinedOutput()
		if err != nil {
			t.Fatalf("ffprobe: %v\n%s", err, out)
		}
		for _, want := range []string{
			"codec_name=h264", "profile=Constrained Baseline", fmt.Sprint("level=", c.level),
			fmt.Sprint("width=", o.Width), fmt.Sprint("height=", o.Height), "pix_fmt=yuv420p", "has_b_frames=0",
			"color_space=bt709", "color_range=tv", "color_primaries=bt709", "color_transfer=bt709",
			fmt.Sprintf("r_frame_rate=%d/1", o.FPS), "refs=1",
		} {
			if !strings.Contains(string(out), want+"\n") {
				t.Errorf("%dx%d: no %s in\n%s", o.Width, o.Height, want, out)
			}
		}
	}
}
