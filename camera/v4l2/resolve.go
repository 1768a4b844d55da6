package v4l2

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Scheme begins the address of a camera of this machine that is no path.
const Scheme = "v4l2:"

// resolve returns the path of the node that an address names: "/dev/video0" or any
// other absolute path, with or without "v4l2:" before it, is that path, and whether
// something is there is seen when it is opened. "v4l2:NAME" is, in this order, the
// camera that is called or linked exactly so, so but for the case of the letters, or
// the only one that has it as a part of its name. The error is NotThere or Ambiguous
// and lists what there is.
func resolve(k uapi.Kernel, address string) (string, error) {
	name := strings.TrimPrefix(address, Scheme)
	if path.IsAbs(name) {
		return name, nil
	}
	nodes, err := scan(k, sketch)
	if err != nil {
		return "", err
	}
	if name == "" {
		return "", errorf(NotThere, "the address %s names no camera; %s", address, thereAre(nodes))
	}
	folded := strings.ToLower(name)
	for _, matches := range [...]func(string) bool{
		func(s string) bool { return s == name },
		func(s string) bool { return strings.EqualFold(s, name) },
		func(s string) bool { return strings.Contains(strings.ToLower(s), folded) },
	} {
		var found []*node
		for _, n := range nodes {
			if n.called(matches) {
				found = append(found, n)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0].Path, nil
		}
		return "", errorf(Ambiguous, "several cameras are called %q; give one by a path that stays its own: %s", name, addresses(found))
	}
	return "", errorf(NotThere, "there is no camera %q; %s", name, thereAre(nodes))
}

// called reports whether one of a camera's names is such.
func (n *node) called(such func(string) bool) bool {
	if n.Card != "" && such(n.Card) {
		return true
	}
	for _, link := range n.Stable {
		if such(path.Base(link)) {
			return true
		}
	}
	return false
}

func thereAre(nodes []*node) string {
	const more = "; run `sightline camera --list`"
	switch len(nodes) {
	case 0:
		return "no camera is plugged in"
	case 1:
		return "there is " + nodes[0].name() + more
	}
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.name()
	}
	return "there are " + enumeration(names, "and") + more
}

// addresses offers the addresses of cameras that share a name. By-path differs for
// cameras of one model; by-id only where they have serial numbers.
func addresses(nodes []*node) string {
	texts := make([]string, len(nodes))
	for i, n := range nodes {
		texts[i] = n.name()
		if len(n.Stable) > 0 {
			texts[i] = n.Stable[len(n.Stable)-1] + " (now " + n.Path + ")"
		}
	}
	return enumeration(texts, "or")
}

// enumeration joins texts as a sentence does, the first eight of them.
func enumeration(texts []string, last string) string {
	const most = 8
	if n := len(texts) - most; n > 0 {
		texts = append(slices.Clone(texts[:most]), strconv.Itoa(n)+" more")
	}
	n := len(texts) - 1
	if n == 0 {
		return texts[0]
	}
	return strings.Join(texts[:n], ", ") + " " + last + " " + texts[n]
}
