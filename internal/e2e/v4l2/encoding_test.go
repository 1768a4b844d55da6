//go:build linux

package v4l2

import (
	"fmt"
	"strconv"
	"testing"
)

// jpegRate is the rate of cameras of JPEGs: an emulated machine has to read each.
const jpegRate = 6

// filmOfJPEGs makes a film and returns the arguments of a writer that shows it.
func (w *world) filmOfJPEGs(t *testing.T) []string {
	t.Helper()
	const file, length = "/tmp/film.mjpeg", 40
	w.film(t, file, newFilm(t, length, jpegRate, splitJPEG, jpegs()...))
	return []string{"-film", file, "-rate", strconv.Itoa(jpegRate)}
}

// mjpeg watches a camera of JPEGs.
func mjpeg(t *testing.T, w *world) string {
	w.show(t, "/dev/video22", "MJPG", w.filmOfJPEGs(t)...)
	return w.jpegs(t, "/dev/video22")
}

// jpegs watches a device that shows a film of JPEGs.
func (w *world) jpegs(t *testing.T, device string) string {
	t.Helper()
	a := w.agent(t, run{}, device)
	rate, got := watch(t, a.dial(t)).atRate("", 25, jpegRate)
	frames := decode(t, got, filmWidth, filmHeight)
	n := different(stamps(t, frames))
	if n < len(frames)*9/10 {
		t.Errorf("of %d pictures only %d are other ones than before", len(frames), n)
	}
	return fmt.Sprintf("%dx%d %.1f fps, %d pictures decoded, the stamp in each is right", filmWidth, filmHeight, rate, len(frames))
}

// smallRate is the rate of small.
const smallRate = 10

// small are settings of a camera whose pictures an emulated machine can encode in time.
func small() []string {
	return []string{"--size", "320x180", "--rate", fmt.Sprint(smallRate)}
}

// calm makes vivid show its colour bars without the text over them, except for a
// clock, so that pictures differ.
func (w *world) calm(t *testing.T, device string) {
	t.Helper()
	const countersOnly = "1"
	w.command(t, probe, "set", device, "OSD Text Mode", countersOnly)
}

// raw watches vivid's camera in a raw format.
func raw(device, format string) func(*testing.T, *world) string {
	return func(t *testing.T, w *world) string {
		w.calm(t, device)
		a := w.agent(t, run{}, append([]string{device, "--format", format}, small()...)...)
		s := a.dial(t)
		rate, got := watch(t, s).atRate("", 40, smallRate)
		frames := decode(t, got, 320, 180)
		for _, f := range []frame{frames[0], frames[len(frames)-1]} {
			showsBars(t, f)
		}
		// The clock in the corner goes on.
		if n := changes(frames); n < len(frames)*8/10 {
			t.Errorf("of %d pictures only %d differ from the one before", len(frames), n)
		}
		if c := status(t, s, "", "live"); c.Codec != "H.264" || c.Width != 320 || c.Height != 180 {
			t.Errorf("the viewer is told of %+v", c)
		}
		return fmt.Sprintf("320x180 %.1f fps, %d pictures decoded, the colour bars are right", rate, len(frames))
	}
}

// different counts the numbers that are not the one before.
func different(numbers []uint32) (n int) {
	for i := 1; i < len(numbers); i++ {
		if numbers[i] != numbers[i-1] {
			n++
		}
	}
	return n
}
