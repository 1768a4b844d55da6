//go:build linux

package v4l2

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/netns"
	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/internal/lab/vm"
	"github.com/sightline-cam/sightline/viewer"
)

// patience is for a machine that is emulated on a computer that is busy with other
// things: how long something takes is not what is tested.
const patience = 5 * time.Minute

// world is an emulated machine with the programs of this project in it.
type world struct {
	*vm.Machine
	id     *viewer.Identity // of the one who watches
	agents int
}

// Where programs are in the machine.
const (
	lean     = "/bin/sightline-camera"
	plain    = "/released/sightline" // as it is released, without cgo: passes video on
	encoding = "/bin/sightline"      // built with `make device`
	writer   = "/bin/writer"
	probe    = "/bin/probe"
)

// newWorld boots a machine, or skips the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	netns.NeedApart(t)
	vm.Need(t)
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		vm.Absent(t, "ffmpeg is not installed")
	}
	if err := exec.CommandContext(t.Context(), "pkg-config", "--exists", "x264").Run(); err != nil {
		vm.Absent(t, "libx264-dev or pkg-config is not installed")
	}
	w := &world{}
	var err error
	if w.id, err = viewer.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var k *vm.Kernel
	programs := map[string]string{}
	// Packages, and modules of Go, may have to come from outside.
	err = netns.Outside(func() error {
		cache, err := vm.CacheDir()
		if err != nil {
			return err
		}
		if k, err = vm.Open(t.Context(), cache); err != nil {
			return err
		}
		return build(t.Context(), programs)
	})
	if err != nil {
		t.Fatal(err)
	}
	ready := time.Now()
	w.Machine = vm.Boot(t, k, vm.Options{Files: programs, ConsoleLog: artifact(t, "v4l2-console.log")})
	booted := time.Now()
	w.Load(t, "vivid", vividOptions()...)
	w.Load(t, "uvcvideo")
	w.Load(t, "vhci_hcd")
	w.Load(t, "v4l2loopback", "devices=4", "max_buffers=16", "video_nr=20,21,22,23", "exclusive_caps=1,1,1,1", "card_label=Loop-20,Loop-21,Loop-22,Loop-23")
	report(t, "the machine", "Linux %s, made ready in %.1f s, booted in %.1f s, drivers loaded in %.1f s", k.Release,
		ready.Sub(began).Seconds(), booted.Sub(ready).Seconds(), time.Since(booted).Seconds())
	return w
}

// vividOptions makes two cameras, the second by the multi-planar interface, beside
// all the other devices that vivid knows: outputs, radios, teletext, metadata.
func vividOptions() []string {
	return []string{"n_devs=2", "num_inputs=1,1", "multiplanar=1,2", "vid_cap_nr=0,1", "vid_out_nr=2,3", "meta_cap_nr=4,5", "meta_out_nr=6,7"}
}

// build builds the programs: those for people as releases are built.
func build(ctx context.Context, programs map[string]string) error {
	tags := "nomsgpack,nethttpomithttp2"
	for _, p := range []struct {
		path, name, what string
		cgo              bool
		args             []string
	}{
		{path: lean, name: "sightline-camera", what: "./cmd/sightline-camera", args: []string{"-tags", tags, "-ldflags", "-s -w"}},
		{path: plain, name: "sightline", what: "./cmd/sightline", args: []string{"-tags", tags, "-ldflags", "-s -w"}},
		{
			path: encoding, name: "sightline-device", what: "./cmd/sightline", cgo: true,
			args: []string{"-tags", tags + ",device,osusergo,netgo", "-ldflags", `-s -w -linkmode external -extldflags "-static"`},
		},
		{path: writer, name: "writer", what: "./internal/e2e/v4l2/writer"},
		{path: probe, name: "probe", what: "./internal/e2e/v4l2/probe"},
	} {
		from, err := vm.Build(ctx, vm.Program{Name: p.name, Package: p.what, Cgo: p.cgo, Args: p.args})
		if err != nil {
			return err
		}
		programs[p.path] = from
	}
	return nil
}

// artifact returns the path of a file that is kept for people to look at.
func artifact(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs("../artifacts")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// camera is a device of v4l2loopback that shows something.
type camera struct {
	*program.Program
	t     *testing.T
	words io.Writer
}

// show starts a writer to a device, which ends with the test.
func (w *world) show(t *testing.T, device, format string, args ...string) *camera {
	t.Helper()
	return w.startCamera(t, append([]string{"-device", device, "-format", format}, args...)...)
}

// startCamera starts a writer.
func (w *world) startCamera(t *testing.T, args ...string) *camera {
	t.Helper()
	words, in := io.Pipe()
	c := &camera{t: t, words: in}
	c.Program = w.Start(t, vm.Command{Args: append([]string{writer}, args...), Stdin: words})
	t.Cleanup(func() { _ = in.Close() })
	c.WaitFor(t, "the camera is ready", patience)
	return c
}

// tell gives the camera a word to obey, and waits until it has.
func (c *camera) tell(word string) {
	c.t.Helper()
	if _, err := io.WriteString(c.words, word+"\n"); err != nil {
		c.t.Fatal(err)
	}
	c.WaitFor(c.t, "done: "+word, patience)
}
