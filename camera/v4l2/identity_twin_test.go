package v4l2

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// room is a machine whose cameras come and go while they are watched.
type room struct {
	t *testing.T
	placed
	kernel *fakev4l2.Kernel
}

func newRoom(t *testing.T) *room {
	t.Helper()
	k := fakev4l2.New()
	return &room{t, placed{k, machineWith(t, nil)}, k}
}

// plug plugs a camera in, as the kernel and its files tell of it.
func (r *room) plug(n *fakev4l2.Node, path, card string) {
	r.t.Helper()
	name := filepath.Base(path)
	class, device := "/sys/class/video4linux/"+name, "/sys/devices/"+name+"/interface"
	for _, folder := range []string{"/dev", class, device} {
		if err := os.MkdirAll(r.machine.root+folder, 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	for file, content := range map[string]string{"/dev/" + name: "", class + "/name": "Video Capture: " + card + "\n", class + "/index": "0\n"} {
		if err := os.WriteFile(r.machine.root+file, []byte(content), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := os.Symlink("../../../devices/"+name+"/interface", r.machine.root+class+"/device"); err != nil {
		r.t.Fatal(err)
	}
	if n != nil {
		r.kernel.PlugAs(n, path)
	}
}

func (r *room) unplug(n *fakev4l2.Node) {
	r.t.Helper()
	n.Unplug()
	for _, file := range []string{n.Path(), "/sys/class/video4linux/" + filepath.Base(n.Path())} {
		if err := os.RemoveAll(r.machine.root + file); err != nil {
			r.t.Fatal(err)
		}
	}
}

// At boot cameras come one after the other, and a hub that loses its power takes all of
// them away: the one that comes back first may be that of another room.
func TestSource_IsNotTakenInByATwinThatCameLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		door := r.kernel.Add("/dev/video0", coder())
		r.plug(nil, "/dev/video0", "Door")
		s, err := New(Options{Address: "/dev/video0", Kernel: r.placed})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, kernel: r.kernel, node: door, out: &collector{}, source: s}
		w.super = camera.NewSupervisor(s, w.out, camera.SupervisorOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.super.Run(ctx) }()
		defer func() { cancel(); <-done }()
		synctest.Wait()
		v := newVideo(t)
		w.deliver(v.next())

		other := coder()
		other.BusInfo = "usb-2"
		nursery := r.kernel.Add("/dev/video2", other)
		r.plug(nil, "/dev/video2", "Door")
		for range 2 * 25 {
			w.deliver(v.next())
		}
		r.unplug(door)
		r.unplug(nursery)
		shown := 0
		nursery.Intercept(tally(abi.StreamOn, &shown))
		w.pass(5 * time.Second)
		r.plug(nursery, "/dev/video0", "Door")
		w.pass(time.Minute)
		if shown > 0 {
			t.Fatal("the camera of another room is shown under the name of this one")
		}
		r.plug(door, "/dev/video1", "Door")
		w.pass(2 * lookAgain)
		if !door.Streaming() || shown > 0 {
			t.Errorf("the camera is not found again: %q", w.reason())
		}
	})
}

// After the next start of the machine the numbers may be swapped.
func TestSource_WarnsOfANumberForAnAddress(t *testing.T) {
	const link = "/dev/v4l/by-path/usb-1-index0"
	for _, c := range []struct {
		name, address string
		alone, want   bool
	}{
		{"a number", "/dev/video0", false, true},
		{"a number of the only one", "/dev/video0", true, false},
		{"a link", link, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			n := r.kernel.Add("/dev/video0", coder())
			r.plug(nil, "/dev/video0", "Door")
			if !c.alone {
				r.kernel.Add("/dev/video2", raw())
				r.plug(nil, "/dev/video2", "Yard")
			}
			if c.address == link {
				r.kernel.Add(link, coder())
			}
			if err := os.MkdirAll(filepath.Dir(r.machine.root+link), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("../../video0", r.machine.root+link); err != nil {
				t.Fatal(err)
			}
			s, err := New(Options{Address: c.address, Kernel: r.placed})
			if err != nil {
				t.Fatal(err)
			}
			o, err := s.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer o.device.Close()
			if got := strings.Contains(strings.Join(o.refusals, ""), "call this one "+link); got != c.want {
				t.Errorf("%s: warns of %q", n.Path(), o.refusals)
			}
		})
	}
}

// Notebooks and dashboard cameras are two cameras in one USB device.
func TestIdentity_TellsTheCamerasOfOneDeviceApart(t *testing.T) {
	front := map[string]string{
		"dev/video0": "", "sys/class/video4linux/video0/index": "0", "sys/class/video4linux/video0/device/bInterfaceNumber": "00\n",
	}
	back := map[string]string{
		"dev/video0": "", "sys/class/video4linux/video0/index": "0", "sys/class/video4linux/video0/device/bInterfaceNumber": "02\n",
	}
	k := fakev4l2.New()
	k.Add("/dev/video0", fakev4l2.Device{Driver: "uvcvideo", Card: "Dash", BusInfo: "usb-1"})
	was, now := placed{k, machineWith(t, front)}, placed{k, machineWith(t, back)}
	i := identity{}.seen(was, was.describe(t, "video0"))
	if !i.accepts(was, was.describe(t, "video0")) {
		t.Error("the camera itself is refused")
	}
	i.machine = now.machine
	if i.accepts(now, now.describe(t, "video0")) {
		t.Error("the other camera of the device is taken for it")
	}
}

// A device that is there, but whose driver says that it is not, is not to be tried four
// times a second for ever.
func TestSource_DoesNotTryInAHotLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := fakev4l2.New()
		n := k.Add("/dev/video0", coder())
		tries := 0
		n.Intercept(tally(abi.StreamOn, &tries))
		n.Fail(abi.StreamOn, syscall.ENODEV)
		w := watchOn(t, k, n, Options{})
		w.pass(time.Minute)
		if tries < 5 || tries > 25 {
			t.Errorf("%d attempts in a minute", tries)
		}
	})
}
