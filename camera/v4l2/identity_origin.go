package v4l2

import (
	"strconv"
	"strings"
)

// origin is what the kernel's files say about a node; zero where they say nothing.
type origin struct {
	index  int    // among the nodes of one camera
	part   string // of a USB device that is several cameras: the interface
	serial string // of a USB camera that has one
}

// originAt returns the origin of the node that a path leads to.
func (m machine) originAt(path string) origin {
	name, ok := strings.CutPrefix(m.resolved(path), "/dev/")
	if !ok || strings.Contains(name, "/") {
		return origin{}
	}
	class := "/sys/class/video4linux/" + name
	index, _ := strconv.Atoi(m.text(class + "/index")) // else the first
	return origin{index: index, part: m.text(class + "/device/bInterfaceNumber"), serial: m.text(class + "/device/../serial")}
}
