//go:build linux

package v4l2

import (
	"fmt"
	"testing"
)

// nativeH264 watches a device that encodes by itself, with the lean agent, which has
// no encoder. Every picture arrives.
func nativeH264(t *testing.T, w *world) string {
	w.camera(t, "/dev/video20", "H264")
	a := w.agent(t, run{program: lean}, "/dev/video20")
	got := watch(t, a.dial(t)).await("", 121)
	fps := wants(t, got, 30)
	frames := decode(t, got, 640, 360)
	lost := missing(t, stamps(t, frames), 0)
	if lost > 0 {
		t.Errorf("%d pictures are missing", lost)
	}
	return fmt.Sprintf("640x360 %.1f fps, %d pictures decoded, none missing", fps, len(frames))
}
