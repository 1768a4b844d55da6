package v4l2

import (
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// identity is what a camera is known by while it is unplugged. The zero identity is
// nobody's.
//
// To show one camera under the name of another is worse than to show none: whoever may
// watch the yard would see the nursery. Numbers of nodes say nothing, since they are
// given in the order of plugging in. So a camera is known again only
//
//   - by driver, name, serial number (if it has one, or had) and the same place. That
//     someone has put another one of the model into the socket cannot be told where
//     there is no serial number, and was that one's own doing;
//   - or plugged in elsewhere, if it cannot be another one that is configured as well:
//     all but the place is the same, it is the only one of which that is true, no other
//     was seen when it was watched, and this process does not have it open for another
//     camera.
//
// A camera of another name is never taken, nor one that could not be asked for its name.
type identity struct {
	machine           machine // whose camera it is
	driver, card, bus string
	origin
	// twins says that another camera of the same model, not to be told apart by its
	// serial number, was seen in another place while this one was watched.
	twins bool
	// beside says that any other camera was seen.
	beside bool
}

// seen notes by what an open camera is to be known again. Of a camera that was seen
// before it keeps what was learned then; call it on the zero identity for another.
func (i identity) seen(k uapi.Kernel, d Device) identity {
	i.machine = machineOf(k)
	i.driver, i.card, i.bus, i.origin = d.Driver, d.Card, d.Bus, i.machine.originAt(d.Path)
	nodes, _ := scan(k, sketch) // none: then no twins were seen
	i.beside = len(nodes) > 1
	for _, n := range nodes {
		i.twins = i.twins || n.Bus != i.bus && i.like(n)
	}
	return i
}

// twinned reports whether the system's records know another camera of the same model,
// not to be told apart by its serial number. Nothing is opened for that.
func (i *identity) twinned(path string) bool {
	const class = "/sys/class/video4linux/"
	m := i.machine
	own := m.link(class + strings.TrimPrefix(m.resolved(path), "/dev/") + "/device")
	if own == "" || i.card == "" {
		return false
	}
	for _, name := range m.names(class) {
		if m.link(class+name+"/device") != own && strings.Contains(m.text(class+name+"/name"), readable(i.card)) &&
			m.originAt("/dev/"+name) == i.origin {
			return true
		}
	}
	return false
}

// is reports whether a device is the camera, in its place.
func (i *identity) is(d Device) bool {
	return d.Bus == i.bus && i.like(&node{Device: d, origin: i.machine.originAt(d.Path)})
}

// isAt reports whether the camera is in its place and the one at a path.
func (i *identity) isAt(k uapi.Kernel, path string) bool {
	h, err := uapi.Open(k, path)
	if err != nil {
		return false
	}
	defer h.Close() //nolint:errcheck // only asked
	d, err := sketch(h, path)
	return err == nil && i.is(d)
}

// accepts reports whether an open device is the camera, in its place or elsewhere. It
// is for what find returned: since then another may have come under that path.
func (i *identity) accepts(k uapi.Kernel, d Device) bool {
	if i.is(d) {
		return true
	}
	nodes, err := scan(k, sketch)
	if err != nil {
		return false
	}
	const own = 1 // descriptor, of the one who asks
	n := i.elsewhere(nodes)
	return n != nil && n.Path == i.machine.resolved(d.Path) && i.machine.heldHere(n.Path) <= own
}

// find returns where the camera is now, under whatever number. The error is NotThere or
// Ambiguous.
func (i *identity) find(k uapi.Kernel) (string, error) {
	nodes, err := scan(k, sketch)
	if err != nil {
		return "", err
	}
	var here []*node
	for _, n := range nodes {
		if n.Bus == i.bus && i.like(n) {
			here = append(here, n)
		}
	}
	if len(here) > 1 {
		return "", errorf(Ambiguous, "several cameras say that they are %s in the place %s; give one by a path that stays its own: %s",
			i.card, i.bus, addresses(here))
	}
	if len(here) == 1 {
		return here[0].Path, nil
	}
	if n := i.elsewhere(nodes); n != nil && i.machine.heldHere(n.Path) == 0 {
		return n.Path, nil
	}
	return "", errorf(NotThere, "the camera %s is not plugged in; %s", i.card, thereAre(nodes))
}

// like reports whether a camera is the one by all but the place.
func (i *identity) like(n *node) bool {
	return n.Problem == "" && n.Driver == i.driver && n.Card == i.card && n.origin == i.origin
}

// elsewhere returns the only camera that is like this one, in another place; nil if there
// are several, or were.
func (i *identity) elsewhere(nodes []*node) *node {
	var found []*node
	for _, n := range nodes {
		if n.Bus != i.bus && i.like(n) {
			found = append(found, n)
		}
	}
	if i.twins || len(found) != 1 {
		return nil
	}
	return found[0]
}
