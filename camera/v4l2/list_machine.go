package v4l2

import (
	"io"
	"os"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// machine is where the files are that say something about a Kernel's devices.
type machine struct {
	root string // the folder that holds dev, sys, proc, run and etc; "" for /
}

// A Kernel of tests may have methods of these two.
type (
	// rooted has its machine's files below a folder.
	rooted interface{ Root() string }
	// counted lists its nodes itself.
	counted interface{ Paths() []string }
)

func machineOf(k uapi.Kernel) machine {
	if r, ok := k.(rooted); ok {
		return machine{root: r.Root()}
	}
	if _, ok := k.(counted); ok {
		return machine{root: os.DevNull} // the files of this machine say nothing about it
	}
	return machine{}
}

// nodes returns the paths of whatever may be a camera.
func (m machine) nodes(k uapi.Kernel) []string {
	if c, ok := k.(counted); ok {
		return c.Paths()
	}
	names := m.names("/dev")
	for i := range names {
		names[i] = "/dev/" + names[i]
	}
	return names
}

// names returns what is in a folder, in the order of the names; nothing where it
// cannot be read.
func (m machine) names(folder string) []string {
	f, err := os.Open(m.root + folder)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	names, _ := f.Readdirnames(maxEntries)
	return names
}

// text returns what a small file says, fit to be shown; "" where it cannot be read.
// The name is not cleaned: in sysfs "device/.." is the folder above the one that the
// link leads to.
func (m machine) text(name string) string { return readable(m.read(name)) }

// read returns the first 16 KiB of a file.
func (m machine) read(name string) string {
	f, err := os.Open(m.root + name)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(f, 16<<10))
	if err != nil {
		return ""
	}
	return string(b)
}

// link returns where a symbolic link leads, without asking whether anything is there;
// "" for what is no link.
func (m machine) link(name string) string {
	to, err := os.Readlink(m.root + name)
	if err != nil {
		return ""
	}
	if !path.IsAbs(to) {
		to = path.Join(path.Dir(name), to)
	}
	return path.Clean(to)
}

// maxEntries bounds how many names of a folder are looked at: nodes, processes, open
// files.
const maxEntries = 16384

// readable makes a text that others chose fit for a line on a terminal: names of
// programs and of devices may hold anything.
func readable(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 128 {
		s = s[:128]
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
