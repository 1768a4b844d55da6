//go:build linux

package v4l2

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
	"github.com/sightline-cam/sightline/internal/lab/vm"
)

// nativeH264 watches a device that encodes by itself, with the program that has no
// encoder. What the device made arrives, picture by picture.
func nativeH264(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264", "-gop", "1s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	seen := watch(t, s)
	good, all := flawless(t, seen, "", 0, 4, 640, 360, 0)
	fps, _ := seen.atRate("", 30, 30)
	if c := status(t, s, "", "live"); c.Codec != "H.264" || c.Width != 640 || c.Height != 360 {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("640x360 %.1f fps, %d of %d pictures decoded in groups without a flaw", fps, good, all)
}

// twoViewers has one come late, and both see everything.
func twoViewers(t *testing.T, w *world) string {
	w.show(t, "/dev/video20", "H264", "-gop", "2s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	first := watch(t, a.dial(t))
	first.await("", 45)
	second := a.dial(t)
	begin := time.Now()
	late := watch(t, second)
	waited := late.await("", 1)[0].came.Sub(begin)
	good, _ := flawless(t, late, "", 0, 1, 640, 360, 0)
	more, _ := flawless(t, first, "", 0, 2, 640, 360, 0)
	return fmt.Sprintf("the second has its first picture after %v; %d and %d pictures decoded in groups without a flaw", waited.Round(time.Millisecond), good, more)
}

// anotherSize is a device whose encoder makes larger pictures all at once.
func anotherSize(t *testing.T, w *world) string {
	c := w.show(t, "/dev/video20", "H264", "-gop", "1s")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	seen := watch(t, s)
	seen.groups("", 0, 1)
	from := seen.count("")
	c.tell("size 1280x720")
	for !begins(seen.await("", from+1)[from], 1280, 720) {
		from++
	}
	good, _ := flawless(t, seen, "", from, 2, 1280, 720, 0)
	if c := status(t, s, "", "live"); c.Width != 1280 || c.Height != 720 {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("640x360, then 1280x720 in the same session, %d pictures of it decoded in groups without a flaw", good)
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
	good, all := flawless(t, seen, "", 0, 3, filmWidth, filmHeight, length)
	rate, _ := seen.atRate("", fps, fps)
	if c := status(t, s, "", "live"); c.Codec != "H.265" {
		t.Errorf("the viewer is told of %+v", c)
	}
	return fmt.Sprintf("%dx%d %.1f fps, %d of %d pictures decoded in groups without a flaw", filmWidth, filmHeight, rate, good, all)
}

// several has one agent publish two devices of this machine and a camera of the
// network, and one viewer watch all three.
func several(t *testing.T, w *world) string {
	p, err := rtspcam.Picture(testpattern.Options{Width: 640, Height: 360, FPS: 25})
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", vm.HostAddress+":0")
	if err != nil {
		t.Fatal(err)
	}
	w.calm(t, "/dev/video0")
	w.show(t, "/dev/video20", "H264", "-gop", "1s")
	w.Put(t, "/tmp/several.yaml", 0o644, strings.NewReader(fmt.Sprintf(`cameras:
  - {id: network, url: %q}
  - {id: loop, url: "v4l2:Loop-20"}
  - {id: vivid, url: /dev/video0, video: {size: 320x180, rate: %d}}
`, p.Serve(t, l), smallRate)))
	a := w.agent(t, run{}, "--config", "/tmp/several.yaml")
	s := a.dial(t, "network", "loop", "vivid")
	seen := watch(t, s)
	network, _ := flawless(t, seen, "network", 0, 1, 640, 360, 0)
	loop, _ := flawless(t, seen, "loop", 0, 2, 640, 360, 0)
	vivid := decode(t, seen.await("vivid", 20), 320, 180)
	showsBars(t, vivid[len(vivid)-1])
	for _, id := range []string{"network", "loop", "vivid"} {
		status(t, s, id, "live")
	}
	return fmt.Sprintf("two devices and an RTSP camera in one session: %d, %d and %d pictures decoded", loop, len(vivid), network)
}

// goal is what passing a picture on may add to what the driver takes, for 99 of 100
// pictures.
const goal = 2 * time.Millisecond

// latency measures what the source adds, in a machine that is many times slower than
// a real one, and stands still whenever the computer is busy with other things: that it
// meets the goal is told, and judged is that most pictures wait for no other.
func latency(t *testing.T, w *world) string {
	const pictures, most, fps = 200, 3, 60
	w.show(t, "/dev/video20", "H264", "-gop", "1s", "-rate", strconv.Itoa(fps))
	best50, best99 := time.Hour, time.Hour
	for n := 0; n < most && best99 >= goal; n++ {
		var p50, p99 int
		out := w.command(t, probe, "latency", "/dev/video20", strconv.Itoa(pictures))
		if _, err := fmt.Sscanf(out, "p50 %d p99 %d us", &p50, &p99); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		best50, best99 = min(best50, time.Duration(p50)*time.Microsecond), min(best99, time.Duration(p99)*time.Microsecond)
	}
	if next := time.Second / fps; best50 > next/2 {
		t.Errorf("half of the pictures take %v, and the next comes after %v", best50, next)
	}
	return fmt.Sprintf("p50 %v, p99 %v of %d pictures (goal: p99 < %v)", best50.Round(10*time.Microsecond), best99.Round(10*time.Microsecond), pictures, goal)
}
