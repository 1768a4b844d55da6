//go:build linux

package v4l2

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/internal/lab/vm"
)

// nativeH264 watches a device that encodes by itself, with the program that has no
// encoder. Every picture arrives.
func nativeH264(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	got := watch(t, s).await("", 121)
	fps := wants(t, got, 30)
	frames := decode(t, got, 640, 360)
	if lost := missing(t, stamps(t, frames), 0); lost > 0 {
		t.Errorf("%d pictures are missing", lost)
	}
	if c := status(t, s, "", "live"); c.Codec != "H.264" || c.Width != 640 || c.Height != 360 {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("640x360 %.1f fps, %d pictures decoded, none missing", fps, len(frames))
}

// twoViewers has one come late: that one has a key frame as soon as the camera makes
// one, and the first misses nothing.
func twoViewers(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264", "-gop", "2s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	first := watch(t, a.dial(t))
	first.await("", 45)
	second := a.dial(t)
	begin := time.Now()
	late := watch(t, second).await("", 60)
	waited := late[0].came.Sub(begin)
	if !late[0].Key || waited > 5*time.Second {
		t.Errorf("the second viewer waits %v for a key frame", waited)
	}
	for _, pictures := range [][]picture{late, first.await("", 90)} {
		if lost := missing(t, stamps(t, decode(t, pictures, 640, 360)), 0); lost > 0 {
			t.Errorf("%d pictures are missing", lost)
		}
	}
	return fmt.Sprintf("the second has its first picture after %v", waited.Round(10*time.Millisecond))
}

// anotherSize is a device whose encoder makes larger pictures all at once.
func anotherSize(t *testing.T, w *world) string {
	c := w.show(t, "/dev/video20", "H264")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	seen := watch(t, s)
	stamps(t, decode(t, seen.await("", 30)[:30], 640, 360))
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
	got := watch(t, s).await("", 101)
	rate := wants(t, got, fps)
	frames := decode(t, got, filmWidth, filmHeight)
	if lost := missing(t, stamps(t, frames), length); lost > 0 {
		t.Errorf("%d pictures are missing", lost)
	}
	if c := status(t, s, "", "live"); c.Codec != "H.265" {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("%dx%d %.1f fps, %d pictures decoded, none missing", filmWidth, filmHeight, rate, len(frames))
}

// goal is what passing a picture on may add to what the driver takes, for 99 of 100
// pictures: here in an emulated machine, which is some ten times slower than a real one.
const goal = 2 * time.Millisecond

// latency measures what the source adds, beside a program that only takes pictures
// from the driver.
func latency(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264")
	const pictures = 300
	out, err := w.Run(t.Context(), vm.Command{Args: []string{probe, "latency", "/dev/video20", strconv.Itoa(pictures)}})
	if err != nil {
		t.Fatal(err)
	}
	p50, p99 := map[string]time.Duration{}, map[string]time.Duration{}
	for line := range strings.Lines(string(out)) {
		var name string
		var half, most, n int64
		if _, err := fmt.Sscanf(line, "%s p50 %d p99 %d us of %d", &name, &half, &most, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		p50[name], p99[name] = time.Duration(half)*time.Microsecond, time.Duration(most)*time.Microsecond
	}
	added := p99["source"] - p99["driver"]
	if p50["source"]-p50["driver"] > goal {
		t.Errorf("half of the pictures take %v more than from the driver alone", p50["source"]-p50["driver"])
	}
	return fmt.Sprintf("p50 %v, p99 %v; from the driver alone %v and %v: %v added at p99 (goal < %v)", p50["source"], p99["source"],
		p50["driver"], p99["driver"], max(added, 0), goal)
}
