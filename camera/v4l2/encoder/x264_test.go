//go:build device && cgo && !openh264

package encoder

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/h264"
)

// Which cameras come and go is the log's business, not the library's.
func TestX264_SaysNothingOnStandardError(t *testing.T) {
	if said := complaints(t); said != "" {
		t.Errorf("on standard error:\n%s", said)
	}
}

// What mediadevices does not let one set is in the stream.
func TestX264_TheStreamSaysItsRateAndSize(t *testing.T) {
	f := shoot(t, 854, 480, 2, 0)
	for _, rate := range []float64{7.5, 30, 30000.0 / 1001, 60} {
		s := f.settings("YU12")
		s.Rate = rate
		unit := encode(t, start(t, s), f.frames[:1])[0]
		info, err := h264.ParseSPS(nals(t, unit)[0])
		if err != nil {
			t.Fatal(err)
		}
		if info.Width != 854 || info.Height != 480 || math.Abs(info.FrameRate-rate) > 0.001 || info.BFramesPossible() {
			t.Errorf("at %g pictures a second the stream says %+v", rate, info)
		}
	}
}

// preset returns which preset a key frame was made with: x264 writes its parameters
// into a message for whoever debugs streams.
func preset(t *testing.T, unit []byte) string {
	t.Helper()
	for name, mark := range map[string]string{"veryfast": " subme=2 ", "superfast": " subme=1 ", "ultrafast": " subme=0 "} {
		if bytes.Contains(unit, []byte(mark)) {
			return name
		}
	}
	t.Fatalf("no parameters of x264 in a key frame of %d bytes", len(unit))
	return ""
}

// When pictures take too long, the next faster preset goes on with a key frame, and
// the log has a line for each change; at the end it says what to do.
func TestX264_ASlowComputerEncodesFaster(t *testing.T) {
	f := shoot(t, 320, 240, 20, 2)
	var log bytes.Buffer
	s := f.settings("YU12")
	s.Rate, s.KeyInterval, s.Logger = 10, 1000, slog.New(slog.NewTextHandler(&log, nil))
	e := start(t, s)
	var now time.Time
	var each time.Duration
	e.now = func() time.Time { now = now.Add(each); return now }

	var units [][]byte
	for i, c := range []struct {
		each   time.Duration // that a picture takes, of 100 ms
		preset string        // of the key frame that comes first; "" for none
	}{
		{69 * time.Millisecond, "veryfast"},
		{71 * time.Millisecond, ""},
		{69 * time.Millisecond, "superfast"},
		{150 * time.Millisecond, ""},
		{90 * time.Millisecond, "ultrafast"},
		{150 * time.Millisecond, ""},
		{150 * time.Millisecond, ""},
	} {
		each = c.each
		for j := range 20 { // two seconds
			unit, err := e.Encode(f.frames[j], false)
			if err != nil {
				t.Fatal(err)
			}
			units = append(units, bytes.Clone(unit))
			key := h264.IsKey(nals(t, unit))
			if key != (j == 0 && c.preset != "") {
				t.Fatalf("part %d, picture %d: key frame is %v", i, j, key)
			}
			if key && preset(t, unit) != c.preset {
				t.Errorf("part %d is encoded %s, want %s", i, preset(t, unit), c.preset)
			}
		}
	}
	for i, got := range decode(t, units) {
		if db := psnr(f.frames[i%20], got); !(db > 30) {
			t.Fatalf("picture %d: %.1f dB", i, db)
		}
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{"speed=superfast percent=71", "speed=ultrafast percent=150", "too slow to encode every picture; choose a smaller size"}
	if len(lines) != len(want) {
		t.Fatalf("the log has %d lines, want %d:\n%s", len(lines), len(want), log.String())
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("line %d of the log is %q, want %q in it", i, lines[i], want[i])
		}
	}
}

// A key frame asked for with the last picture of a speed is not lost, nor made twice.
func TestX264_AFasterEncoderBeginsWithAKeyFrame(t *testing.T) {
	f := shoot(t, 320, 240, 20, 2)
	s := f.settings("YU12")
	s.Rate, s.KeyInterval = 10, 1000
	e := start(t, s)
	var now time.Time
	e.now = func() time.Time { now = now.Add(80 * time.Millisecond); return now }
	var keys []int
	for i := range 30 {
		unit, err := e.Encode(f.frames[i%20], i == 19)
		if err != nil {
			t.Fatal(err)
		}
		if h264.IsKey(nals(t, unit)) {
			keys = append(keys, i)
		}
	}
	if got, want := fmt.Sprint(keys), "[0 19 20]"; got != want {
		t.Errorf("key frames are %s, want %s", got, want)
	}
}
