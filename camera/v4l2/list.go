package v4l2

import (
	"errors"
	"io/fs"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// List returns the cameras of this machine by the number of their nodes: nodes that
// capture video, and neither outputs nor codecs nor metadata. Of a node that cannot be
// opened nothing of that can be asked; it is listed with a Problem unless the system's
// records say that it is no camera.
func List(k uapi.Kernel) ([]Device, error) {
	nodes, err := scan(k, Describe)
	if err != nil {
		return nil, err
	}
	devices := make([]Device, len(nodes))
	for i, n := range nodes {
		devices[i] = n.Device
	}
	return devices, nil
}

// node is a camera as it was found.
type node struct {
	Device
	origin
}

// sketch is what a look at the capability tells: enough to know a camera again. The
// error is an *Error, beside what is known.
func sketch(d *uapi.Device, path string) (Device, error) {
	dev, _, err := capture(d, path)
	return dev, err
}

// capture returns what a device is, and the queue that its pictures come by.
func capture(d *uapi.Device, path string) (Device, uapi.BufType, error) {
	c, err := d.Capability()
	if err != nil {
		return Device{Path: path}, 0, explain(path, "asking what it is", err)
	}
	dev := Device{Path: path, Card: c.Card, Driver: c.Driver, Bus: c.BusInfo}
	queue, ok := c.Capture()
	if !ok {
		return dev, 0, errorf(NotCapture, "%s takes no pictures; run `sightline camera --list` for the devices that do", dev.name())
	}
	return dev, queue, nil
}

// scan asks every node by describe.
func scan(k uapi.Kernel, describe func(*uapi.Device, string) (Device, error)) ([]*node, error) {
	m := machineOf(k)
	numbers := videoNumbers(m.nodes(k))
	if len(numbers) == 0 && runtime.GOOS != "linux" {
		return nil, errorf(Unsupported, "cameras of this machine can be watched on Linux alone; give the address of a network camera (rtsp://…)")
	}
	stable := m.stableNames()
	var nodes []*node
	for _, number := range numbers {
		name := "video" + strconv.Itoa(number)
		if n := visit(k, m, name, describe); n != nil {
			n.Path = "/dev/" + name
			n.Stable = stable[n.Path]
			n.origin = m.originAt(n.Path)
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// visit asks one node. It returns nil for what is no camera.
func visit(k uapi.Kernel, m machine, name string, describe func(*uapi.Device, string) (Device, error)) *node {
	path := "/dev/" + name
	h, err := uapi.Open(k, path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		return nil // unplugged since the folder was read, or a node that somebody made for what may come
	case err != nil && m.noCamera(name):
		return nil
	case err != nil:
		return &node{Device: Device{Card: m.text("/sys/class/video4linux/" + name + "/name"), Problem: explain(path, "opening it", err).Error()}}
	}
	defer h.Close() //nolint:errcheck // only asked
	n := &node{}
	n.Device, err = describe(h, path)
	if e, ok := errors.AsType[*Error](err); ok && (e.Reason == NotCapture || e.Reason == Unplugged) {
		return nil
	}
	if err != nil {
		n.Problem = err.Error()
	}
	return n
}

// videoNumbers returns the numbers of /dev/video* among paths, rising.
func videoNumbers(paths []string) []int {
	var numbers []int
	for _, name := range paths {
		digits, ok := strings.CutPrefix(name, "/dev/video")
		if !ok || len(digits) == 0 || len(digits) > 3 {
			continue
		}
		// "video01" and "video+1" are none of the kernel's names.
		if n, err := strconv.Atoi(digits); err == nil && strconv.Itoa(n) == digits {
			numbers = insert(numbers, n)
		}
	}
	return numbers[:min(len(numbers), maxNodes)]
}

// insert puts a number into numbers that rise. A sorting function would be ten times
// the code, for lists that are in order already or short.
func insert(rising []int, n int) []int {
	rising = append(rising, n)
	for i := len(rising) - 1; i > 0 && rising[i-1] > n; i-- {
		rising[i-1], rising[i] = n, rising[i-1]
	}
	return rising
}

// maxNodes is the kernel's limit of video devices (VIDEO_NUM_DEVICES).
const maxNodes = 256

// noCamera reports whether the system's records say of a node that it captures no
// video; false where they say nothing.
//
// udev has asked every node as root and written down what it can. Without udev: the
// driver of USB cameras registers each stream's video and then its metadata, so that
// those have the odd numbers of a camera's nodes.
func (m machine) noCamera(name string) bool {
	class := "/sys/class/video4linux/" + name
	if number := m.text(class + "/dev"); number != "" && !strings.Contains(number, "/") {
		for line := range strings.Lines(m.read("/run/udev/data/c" + number)) {
			if can, ok := strings.CutPrefix(line, "E:ID_V4L_CAPABILITIES="); ok {
				return !strings.Contains(can, ":capture:")
			}
		}
	}
	index, err := strconv.Atoi(m.text(class + "/index"))
	return err == nil && index%2 == 1 && strings.HasSuffix(m.link(class+"/device/driver"), "/uvcvideo")
}
