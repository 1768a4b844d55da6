//go:build linux

package v4l2

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/h264"
)

// nativeH264 watches a device that encodes by itself, with the program that has no
// encoder. What the device made arrives, picture by picture.
func nativeH264(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264", "-gop", "1s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	seen := watch(t, s)
	good, all := flawless(t, seen, "", 4, 640, 360, 0)
	fps := wants(t, seen.await("", all), 30)
	if c := status(t, s, "", "live"); c.Codec != "H.264" || c.Width != 640 || c.Height != 360 {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("640x360 %.1f fps, %d of %d pictures decoded in groups without a flaw", fps, good, all)
}

// twoViewers has one come late: that one has a key frame at once, and both see
// everything.
func twoViewers(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264", "-gop", "2s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	first := watch(t, a.dial(t))
	first.await("", 45)
	second := a.dial(t)
	begin := time.Now()
	late := watch(t, second)
	waited := late.await("", 1)[0].came.Sub(begin)
	if waited > 5*time.Second {
		t.Errorf("the second viewer waits %v for a key frame", waited)
	}
	good, _ := flawless(t, late, "", 1, 640, 360, 0)
	more, _ := flawless(t, first, "", 2, 640, 360, 0)
	return fmt.Sprintf("the second has its first picture after %v; %d and %d pictures decoded in groups without a flaw", waited.Round(time.Millisecond), good, more)
}

// anotherSize is a device whose encoder makes larger pictures all at once.
func anotherSize(t *testing.T, w *world) string {
	c := w.show(t, "/dev/video20", "H264", "-gop", "1s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	seen := watch(t, s)
	seen.groups("", 1)
	from := seen.count("")
	c.tell("size 1280x720")
	got := seen.since("", from, 60)
	for !begins(got[0], 1280, 720) {
		from++
		got = seen.since("", from, 60)
	}
	frames := decode(t, got, 1280, 720)
	stamps(t, frames)
	if c := status(t, s, "", "live"); c.Width != 1280 || c.Height != 720 {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("640x360, then 1280x720 in the same session, %d pictures of it decoded", len(frames))
}

// begins reports whether an H.264 picture brings a parameter set for a size.
func begins(p picture, width, height int) bool {
	for _, unit := range p.Payload {
		if h264.TypeOf(unit) == h264.SPS {
			info, err := h264.ParseSPS(unit)
			return err == nil && info.Width == width && info.Height == height
		}
	}
	return false
}

// nativeH265 watches a device that encodes H.265 by itself. v4l2loopback takes that.
func nativeH265(t *testing.T, w *world) string {
	const length, fps = 60, 25
	w.film(t, "/tmp/film.h265", newFilm(t, length, fps, splitH265, h265(fps)...))
	w.show(t, "/dev/video21", "HEVC", "-rate", strconv.Itoa(fps), "-film", "/tmp/film.h265")
	a := w.agent(t, run{program: plain}, "/dev/video21")
	s := a.dial(t)
	seen := watch(t, s)
	good, all := flawless(t, seen, "", 3, filmWidth, filmHeight, length)
	rate := wants(t, seen.await("", all), fps)
	if c := status(t, s, "", "live"); c.Codec != "H.265" {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("%dx%d %.1f fps, %d of %d pictures decoded in groups without a flaw", filmWidth, filmHeight, rate, good, all)
}

// goal is what passing a picture on may add to what the driver takes, for 99 of 100
// pictures.
const goal = 2 * time.Millisecond

// latency measures what the source adds, in a machine that is some ten times slower than
// a real one. It runs as often as it takes to have the computer for itself for once.
func latency(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264", "-gop", "1s")
	const pictures, most = 200, 5
	for n := 1; ; n++ {
		var p50, p99 int
		out := w.command(t, probe, "latency", "/dev/video20", strconv.Itoa(pictures))
		if _, err := fmt.Sscanf(out, "p50 %d p99 %d us", &p50, &p99); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if p99 < int(goal.Microseconds()) {
			return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, %d pictures (goal: p99 < %v)", float64(p50)/1000, float64(p99)/1000, pictures, goal)
		}
		if n == most {
			t.Fatalf("99 of 100 pictures take %.1f ms, half of them %.1f ms, more than %v", float64(p99)/1000, float64(p50)/1000, goal)
		}
	}
}
