package v4l2

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// model is a camera as the kernel and its files tell of it.
type model struct {
	node        string // "video0"
	card, bus   string
	index       int
	serial      string
	driver      string // default uvcvideo
	cannotOpen  error
	openedTimes int // by this process
}

// plugged is a machine with these cameras and nothing else.
func plugged(t *testing.T, cameras ...model) placed {
	t.Helper()
	k := fakev4l2.New()
	there := map[string]string{"proc/self/fd/0": "-> /dev/null"}
	fd := 3
	for _, c := range cameras {
		if c.driver == "" {
			c.driver = "uvcvideo"
		}
		k.Add("/dev/"+c.node, fakev4l2.Device{Driver: c.driver, Card: c.card, BusInfo: c.bus}).FailOpen(c.cannotOpen)
		class := "sys/class/video4linux/" + c.node
		there["dev/"+c.node] = ""
		there[class+"/index"] = strconv.Itoa(c.index) + "\n"
		// As in sysfs: the link leads to the interface, the number is of the device above.
		there["sys/devices/"+c.node+"/interface/driver"] = ""
		there[class+"/device"] = "-> ../../../devices/" + c.node + "/interface"
		there[class+"/name"] = c.card + "\n"
		if c.serial != "" {
			there["sys/devices/"+c.node+"/serial"] = c.serial + "\n"
		}
		for range c.openedTimes {
			there["proc/self/fd/"+strconv.Itoa(fd)] = "-> /dev/" + c.node
			fd++
		}
	}
	return placed{k, machineWith(t, there)}
}

// describe returns the description of a device.
func (p placed) describe(t *testing.T, node string) Device {
	t.Helper()
	h, err := uapi.Open(p, "/dev/"+node)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	d, err := sketch(h, "/dev/"+node)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestIdentity_FollowsACamera(t *testing.T) {
	yard := model{node: "video0", card: "C920", bus: "usb-1"}
	yardWithSerial := model{node: "video0", card: "C920", bus: "usb-1", serial: "5F2A"}
	secondSensor := model{node: "video0", card: "C920", bus: "usb-1", index: 2}
	nursery := func(c model) model {
		c.node = "video4"
		return c
	}
	for _, c := range []struct {
		name   string
		before []model // the first is the one that is watched
		after  []model
		want   string // "" if nothing may be shown
	}{
		{"unchanged", []model{yard}, []model{yard}, "video0"},
		{"gone", []model{yard}, nil, ""},
		{"another number", []model{yard}, []model{{node: "video7", card: "C920", bus: "usb-1"}}, "video7"},
		{"another number, and another camera under the old one", []model{yard},
			[]model{{node: "video0", card: "C270", bus: "usb-9"}, {node: "video7", card: "C920", bus: "usb-1"}}, "video7"},
		{"another camera in its place", []model{yard}, []model{{node: "video0", card: "C270", bus: "usb-1"}}, ""},
		{"another driver", []model{yard}, []model{{node: "video0", card: "C920", bus: "usb-1", driver: "other"}}, ""},
		{"elsewhere", []model{yard}, []model{{node: "video1", card: "C920", bus: "usb-5"}}, "video1"},
		{"elsewhere, beside other models", []model{yard, {node: "video8", card: "C270", bus: "usb-8"}},
			[]model{{node: "video1", card: "C920", bus: "usb-5"}, {node: "video8", card: "C270", bus: "usb-8"}}, "video1"},
		{"elsewhere, and cannot be asked", []model{yard}, []model{{node: "video1", card: "C920", bus: "usb-5", cannotOpen: os.ErrPermission}}, ""},
		{"in its place, and cannot be asked", []model{yard}, []model{{node: "video0", card: "C920", bus: "usb-1", cannotOpen: os.ErrPermission}}, ""},

		{"its twin is there alone", []model{yard, nursery(model{card: "C920", bus: "usb-2"})}, []model{nursery(model{card: "C920", bus: "usb-2"})}, ""},
		{"its twin has taken its number", []model{yard, nursery(model{card: "C920", bus: "usb-2"})}, []model{{node: "video0", card: "C920", bus: "usb-2"}}, ""},
		{"elsewhere beside its twin", []model{yard, nursery(model{card: "C920", bus: "usb-2"})},
			[]model{{node: "video1", card: "C920", bus: "usb-5"}, nursery(model{card: "C920", bus: "usb-2"})}, ""},
		{"back beside its twin", []model{yard, nursery(model{card: "C920", bus: "usb-2"})},
			[]model{{node: "video3", card: "C920", bus: "usb-1"}, nursery(model{card: "C920", bus: "usb-2"})}, "video3"},
		{"two of its model elsewhere", []model{yard}, []model{{node: "video0", card: "C920", bus: "usb-2"}, {node: "video1", card: "C920", bus: "usb-3"}}, ""},
		{"one of its model elsewhere, which is watched by this agent", []model{yard}, []model{{node: "video0", card: "C920", bus: "usb-2", openedTimes: 1}}, ""},

		{"elsewhere, with its serial number", []model{yardWithSerial}, []model{{node: "video1", card: "C920", bus: "usb-5", serial: "5F2A"}}, "video1"},
		{"elsewhere beside its twin, with its serial number", []model{yardWithSerial, nursery(model{card: "C920", bus: "usb-2", serial: "77"})},
			[]model{{node: "video1", card: "C920", bus: "usb-5", serial: "5F2A"}, nursery(model{card: "C920", bus: "usb-2", serial: "77"})}, "video1"},
		{"swapped with its twin, with their serial numbers", []model{yardWithSerial, nursery(model{card: "C920", bus: "usb-2", serial: "77"})},
			[]model{{node: "video0", card: "C920", bus: "usb-1", serial: "77"}, nursery(model{card: "C920", bus: "usb-2", serial: "5F2A"})}, "video4"},
		{"another serial number in its place", []model{yardWithSerial}, []model{{node: "video0", card: "C920", bus: "usb-1", serial: "77"}}, ""},
		{"no serial number where there was one", []model{yardWithSerial}, []model{{node: "video0", card: "C920", bus: "usb-1"}}, ""},
		{"twins of one serial number", []model{yardWithSerial, nursery(model{card: "C920", bus: "usb-2", serial: "5F2A"})},
			[]model{nursery(model{card: "C920", bus: "usb-2", serial: "5F2A"})}, ""},

		{"the second sensor of a camera", []model{secondSensor, {node: "video9", card: "C920", bus: "usb-1", index: 0}},
			[]model{{node: "video0", card: "C920", bus: "usb-1", index: 0}, {node: "video9", card: "C920", bus: "usb-1", index: 2}}, "video9"},
		{"the first sensor is no twin of the second", []model{yard, {node: "video2", card: "C920", bus: "usb-1", index: 2}},
			[]model{{node: "video1", card: "C920", bus: "usb-5"}}, "video1"},
		{"the other sensor alone", []model{secondSensor}, []model{{node: "video0", card: "C920", bus: "usb-1", index: 0}}, ""},
		{"two that say the same", []model{yard}, []model{{node: "video0", card: "C920", bus: "usb-1"}, {node: "video1", card: "C920", bus: "usb-1"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := plugged(t, c.before...)
			known := identity{}.seen(before, before.describe(t, c.before[0].node))
			// What was learned is kept when the camera is watched again while its twin is
			// away.
			alone := plugged(t, c.before[0])
			known = known.seen(alone, alone.describe(t, c.before[0].node))

			after := plugged(t, c.after...)
			known.machine = after.machine // in life one and the same
			path, err := known.find(after)
			var e *Error
			switch {
			case c.want == "" && err == nil:
				t.Fatalf("took %s", path)
			case c.want == "" && (!errors.As(err, &e) || e.Reason != NotThere && e.Reason != Ambiguous):
				t.Errorf("got %v", err)
			case c.want != "" && path != "/dev/"+c.want:
				t.Errorf("found %q, %v; want %s", path, err, c.want)
			}
			for _, there := range c.after {
				if there.cannotOpen != nil {
					continue
				}
				d := after.describe(t, there.node)
				// There is none to choose from where a camera is in its place.
				accepted := c.want == there.node || e != nil && e.Reason == Ambiguous && there.bus == c.before[0].bus
				holdOpen(t, after, there.node)
				if got := known.accepts(after, d); got != accepted {
					t.Errorf("accepts(%s) = %v, want %v", there.node, got, accepted)
				}
				if got, want := known.isAt(after, "/dev/"+there.node), accepted && there.bus == c.before[0].bus; got != want {
					t.Errorf("isAt(%s) = %v, want %v", there.node, got, want)
				}
			}
		})
	}
}

// holdOpen makes a device one that this process has open.
func holdOpen(t *testing.T, p placed, node string) {
	t.Helper()
	link := filepath.Join(p.machine.root, "proc/self/fd/own-"+node)
	if err := os.Symlink("/dev/"+node, link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(link) })
}

func TestIdentity_SaysWhatIsThereInstead(t *testing.T) {
	before := plugged(t, model{node: "video0", card: "C920", bus: "usb-1"})
	known := identity{}.seen(before, before.describe(t, "video0"))
	_, err := known.find(plugged(t, model{node: "video0", card: "C270", bus: "usb-1"}))
	if err == nil || err.Error() != "the camera C920 is not plugged in; there is /dev/video0 (C270); run `sightline camera --list`" {
		t.Error(err)
	}
}

// A camera that is watched by a link is the one that the link leads to.
func TestIdentity_ByALink(t *testing.T) {
	p := plugged(t, model{node: "video2", card: "C920", bus: "usb-1", index: 2, serial: "5F2A"})
	link := "/dev/v4l/by-id/usb-C920"
	if err := os.MkdirAll(filepath.Dir(p.machine.root+link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../video2", p.machine.root+link); err != nil {
		t.Fatal(err)
	}
	d := p.describe(t, "video2")
	d.Path = link
	known := identity{}.seen(p, d)
	if known.serial != "5F2A" || known.index != 2 || !known.is(d) || !known.accepts(p, d) {
		t.Errorf("known as %+v", known)
	}
}

func TestIdentity_ComparesWithTheZeroOne(t *testing.T) {
	p := plugged(t, model{node: "video0", card: "C920", bus: "usb-1"})
	if (identity{}).seen(p, p.describe(t, "video0")) == (identity{}) {
		t.Error("a camera that was seen is nobody")
	}
	var nobody identity
	if path, err := nobody.find(p); err == nil || !strings.Contains(err.Error(), "C920") {
		t.Errorf("nobody was found: %q, %v", path, err)
	}
}
