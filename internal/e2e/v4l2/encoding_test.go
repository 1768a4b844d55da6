//go:build linux

package v4l2

import (
	"fmt"
	"strconv"
	"testing"
)

// mjpeg watches a camera of JPEGs, as most on USB are.
func mjpeg(t *testing.T, w *world) string {
	const length, fps = 60, 10
	w.film(t, "/tmp/film.mjpeg", newFilm(t, length, fps, splitJPEG, jpegs()...))
	w.show(t, "/dev/video22", "MJPG", "-rate", strconv.Itoa(fps), "-film", "/tmp/film.mjpeg")
	a := w.agent(t, run{}, "/dev/video22")
	got := watch(t, a.dial(t)).await("", 41)
	rate := wants(t, got, fps)
	frames := decode(t, got, filmWidth, filmHeight)
	lost := missing(t, stamps(t, frames), length)
	if lost > len(frames)/4 {
		t.Errorf("%d pictures are missing among %d", lost, len(frames))
	}
	return fmt.Sprintf("%dx%d %.1f fps, %d pictures decoded, %d left out", filmWidth, filmHeight, rate, len(frames), lost)
}

// raw watches vivid's camera in a raw format.
func raw(device, format string) func(*testing.T, *world) string {
	return func(t *testing.T, w *world) string {
		a := w.agent(t, run{}, device, "--format", format, "--size", "320x180", "--rate", "15")
		s := a.dial(t)
		got := watch(t, s).await("", 46)
		rate := wants(t, got, 15)
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
