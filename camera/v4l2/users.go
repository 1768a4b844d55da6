package v4l2

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxUsers is how many programs are named.
const maxUsers = 3

// usedBy names the programs that have a device open, as in "motion (pid 1234)"; this
// process is named only if no other has it. It returns "" if none can be seen: whoever
// is not root sees the open files of the own user's programs alone.
func usedBy(path string) string { return machine{}.usedBy(path) }

func (m machine) usedBy(path string) string {
	device := m.resolved(path)
	self := strconv.Itoa(os.Getpid())
	var pids []int
	for _, name := range m.names("/proc") {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	slices.SortFunc(pids, cmp.Compare[int])
	var users []string
	for _, n := range pids {
		pid := strconv.Itoa(n)
		if pid == self || !m.holds("/proc/"+pid, device) {
			continue
		}
		name := m.text("/proc/" + pid + "/comm")
		if name == "" {
			continue // it ended meanwhile
		}
		if users = append(users, name+" (pid "+pid+")"); len(users) == maxUsers {
			break
		}
	}
	if len(users) == 0 && m.heldHere(path) {
		return "this agent itself, for another camera"
	}
	return strings.Join(users, ", ")
}

// heldHere reports whether this process has the device open.
func (m machine) heldHere(path string) bool { return m.holds("/proc/self", m.resolved(path)) }

func (m machine) holds(process, device string) bool {
	for _, name := range m.names(process + "/fd") {
		if to, err := os.Readlink(m.root + process + "/fd/" + name); err == nil && to == device {
			return true
		}
	}
	return false
}

// resolved returns the node that a path leads to.
func (m machine) resolved(path string) string {
	if m.root != "" {
		if to := m.link(path); to != "" {
			return to
		}
		return filepath.Clean(path)
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return filepath.Clean(path)
}
