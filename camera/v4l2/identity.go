package v4l2

import (
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// identity is what a camera is known by while it is unplugged.
type identity struct {
	driver, card, bus string
	origin
	// twins says that another camera of the same model was there as well.
	twins bool
}

// origin is what the kernel's files say about a node; zero where they say nothing.
type origin struct {
	index  int    // among the nodes of one camera
	serial string // of a USB camera that has one
}

// originAt returns the origin of a node by its path.
func (m machine) originAt(path string) origin {
	name, ok := strings.CutPrefix(path, "/dev/")
	if !ok || strings.Contains(name, "/") {
		return origin{}
	}
	return m.originOf(name)
}

func (m machine) originOf(name string) origin {
	class := "/sys/class/video4linux/" + name
	index, _ := strconv.Atoi(m.text(class + "/index")) // else the first
	return origin{index: index, serial: m.text(class + "/device/../serial")}
}

// seen notes by what an open camera is to be known again. Of a camera that was seen
// before it keeps what was learned then; call it on the zero identity for another.
func (i identity) seen(k uapi.Kernel, d Device) identity {
	m := machineOf(k)
	at := m.resolved(d.Path)
	i.driver, i.card, i.bus, i.origin = d.Driver, d.Card, d.Bus, m.originAt(at)
	nodes, _ := scan(k, sketch)
	for _, n := range nodes {
		if n.Problem == "" && i.model(n) && n.Bus != i.bus {
			i.twins = true
		}
	}
	return i
}

// is reports whether a device is the camera: of the same model and in the same place.
func (i identity) is(d Device) bool {
	return d.Driver == i.driver && d.Card == i.card && d.Bus == i.bus
}

// isAt reports whether the camera is the one at a path.
func (i identity) isAt(k uapi.Kernel, path string) bool {
	h, err := uapi.Open(k, path)
	if err != nil {
		return false
	}
	defer h.Close() //nolint:errcheck // only asked
	d, err := sketch(h, path)
	m := machineOf(k)
	return err == nil && i.is(d) && m.originAt(m.resolved(path)).index == i.index
}

// model reports whether a node is of the same kind of camera.
func (i identity) model(n node) bool {
	return n.Driver == i.driver && n.Card == i.card && n.index == i.index
}

// find returns where the camera is now, under whatever number. The error is NotThere or
// Ambiguous.
//
// To show one camera under the name of another is worse than to show none: whoever may
// watch the yard would see the nursery. So a camera is known again only
//
//   - by the same driver, name and place, if only one says so. Numbers are given in the order of plugging
//     in, so the old number says nothing. Whether someone has put another one of the
//     same model into the same socket cannot be told, and was the user's own doing;
//   - or by driver and name alone, plugged in elsewhere, if it cannot be another one
//     that is configured as well: it is the only one of that model now and was when it
//     was first seen, its serial number does not say otherwise, and this process does
//     not have it open for another camera.
//
// A camera of another name is never taken, nor one that could not be asked for its name.
func (i identity) find(k uapi.Kernel) (string, error) {
	nodes, err := scan(k, sketch)
	if err != nil {
		return "", err
	}
	var here, elsewhere []node
	for _, n := range nodes {
		if n.Problem != "" || !i.model(n) {
			continue
		}
		if n.Bus == i.bus {
			here = append(here, n)
		} else {
			elsewhere = append(elsewhere, n)
		}
	}
	switch len(here) {
	case 0:
	case 1:
		return here[0].Path, nil
	default:
		return "", errorf(Ambiguous, "several cameras say that they are %s in the place %s; give one by a path that stays its own: %s", i.card, i.bus, addresses(here))
	}
	if len(elsewhere) == 1 && !i.twins {
		n := elsewhere[0]
		if (i.serial == "" || n.serial == i.serial) && !machineOf(k).heldHere(n.Path) {
			return n.Path, nil
		}
	}
	return "", errorf(NotThere, "the camera %s is not plugged in; %s", i.card, thereAre(nodes))
}
