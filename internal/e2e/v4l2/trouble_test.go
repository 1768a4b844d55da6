//go:build linux

package v4l2

import (
	"fmt"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/vm"
)

// pluggedOut takes vivid's devices away while one is watched, removes the module and
// loads it again: the session goes on by itself.
func pluggedOut(t *testing.T, w *world) string {
	w.calm(t, "/dev/video0")
	a := w.agent(t, run{}, append([]string{"/dev/video0"}, small()...)...)
	s := a.dial(t)
	seen := watch(t, s)
	seen.await("", 20)

	// The kernel refuses to remove a module that is in use: a plug is pulled.
	w.Sh(t, "echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind")
	gone := time.Now()
	c := status(t, s, "", "offline", "/dev/video0", "plug")
	told := time.Since(gone)
	// It is let go of, so that the module can be removed.
	w.Unload(t, "vivid")
	from := seen.count("")
	w.Load(t, "vivid", vividOptions()...)
	back := time.Now()
	w.calm(t, "/dev/video0")
	got := seen.since("", from, 30)
	again := got[0].came.Sub(back)
	showsBars(t, decode(t, got, 320, 180)[29])
	status(t, s, "", "live")
	if n := a.said(c.Reason); n != 1 {
		t.Errorf("the log says %d times that %s", n, c.Reason)
	}
	return fmt.Sprintf("%q after %v; pictures again %v after the module", c.Reason, told.Round(10*time.Millisecond), again.Round(10*time.Millisecond))
}

// disconnected sets vivid's control for an error: the device acts as if it were
// unplugged, and is there again when everybody has let go of it.
func disconnected(t *testing.T, w *world) string {
	w.calm(t, "/dev/video0")
	a := w.agent(t, run{}, append([]string{"/dev/video0"}, small()...)...)
	s := a.dial(t)
	seen := watch(t, s)
	seen.await("", 20)
	w.command(t, probe, "set", "/dev/video0", "Disconnect", "1")
	at := time.Now()
	from := seen.count("")
	got := seen.since("", from+5, 15)
	status(t, s, "", "live")
	if n := a.said("plug"); n > 2 {
		t.Errorf("the log has %d lines about it", n)
	}
	showsBars(t, decode(t, got, 320, 180)[14])
	return fmt.Sprintf("pictures again after %v", got[0].came.Sub(at).Round(10*time.Millisecond))
}

// twoReaders has a second agent on a device: it says who is in the way, and the first
// goes on. When that ends, the second has its pictures.
func twoReaders(t *testing.T, w *world) string {
	w.calm(t, "/dev/video0")
	mode := append([]string{"/dev/video0"}, small()...)
	first := w.agent(t, run{}, mode...)
	seen := watch(t, first.dial(t))
	seen.await("", 10)
	second := w.agent(t, run{}, mode...)
	s := second.dial(t)
	c := status(t, s, "", "offline", "in use by sightline", fmt.Sprint(first.PID()))
	showsBars(t, decode(t, seen.next("", 30), 320, 180)[29])
	first.Stop(t)
	watch(t, s).await("", 10)
	status(t, s, "", "live")
	return fmt.Sprintf("%q; the first goes on, and the second begins when it ends", c.Reason)
}

// noPermission runs the agent as somebody who may not open the device.
func noPermission(t *testing.T, w *world) string {
	const video = 44
	w.Sh(t, fmt.Sprintf("chown 0:%d /dev/video0 && chmod 660 /dev/video0", video))
	w.calm(t, "/dev/video0")
	mode := append([]string{"/dev/video0"}, small()...)
	a := w.agent(t, run{user: true}, mode...)
	c := status(t, a.dial(t), "", "offline", "video", "group")
	a.Stop(t)
	// Who is in the group may.
	watch(t, w.agent(t, run{user: true, groups: []uint32{video}}, mode...).dial(t)).await("", 10)
	return fmt.Sprintf("%q; with the group it is watched", c.Reason)
}

// stalled is a device that delivers nothing any more, until it does again.
func stalled(t *testing.T, w *world) string {
	camera := w.show(t, "/dev/video20", "H264")
	a := w.agent(t, run{program: plain}, "/dev/video20")
	s := a.dial(t)
	seen := watch(t, s)
	seen.await("", 10)
	camera.tell("stop")
	at := time.Now()
	c := status(t, s, "", "offline", "delivers no pictures")
	told := time.Since(at)
	from := seen.count("")
	camera.tell("go")
	flawless(t, seen, "", from, 1, 640, 360, 0)
	status(t, s, "", "live")
	return fmt.Sprintf("%q after %.1f s", c.Reason, told.Seconds())
}

// noEncoder watches a camera of raw pictures with a program that cannot encode.
func noEncoder(t *testing.T, w *world) string {
	a := w.agent(t, run{program: plain}, "/dev/video0")
	c := status(t, a.dial(t), "", "offline", "device")
	return fmt.Sprintf("%q", c.Reason)
}

// command runs a program in the machine to its end.
func (w *world) command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := w.Run(t.Context(), vm.Command{Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
