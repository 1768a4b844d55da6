package v4l2

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxUsers is how many programs are named.
const maxUsers = 3

// usedBy names the programs that have a device open, as in "motion (pid 1234)". This
// process is named only if no other is and it has the device open twice: the one who
// asks has it open as well, since most drivers let everybody open a device that is in
// use. It returns "" if nobody can be seen: whoever is not root sees what the own
// user's programs have open alone.
func usedBy(path string) string { return machine{}.usedBy(path) }

func (m machine) usedBy(path string) string {
	device := m.resolved(path)
	var pids []int
	for _, name := range m.names("/proc") {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 && pid != os.Getpid() {
			pids = insert(pids, pid)
		}
	}
	var users []string
	for _, n := range pids {
		pid := strconv.Itoa(n)
		if m.held("/proc/"+pid, device) == 0 {
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
	if len(users) == 0 && m.heldHere(path) > 1 {
		return "this agent itself, for another camera"
	}
	return strings.Join(users, ", ")
}

// heldHere returns how many times this process has the device open.
func (m machine) heldHere(path string) int { return m.held("/proc/self", m.resolved(path)) }

func (m machine) held(process, device string) int {
	n := 0
	for _, name := range m.names(process + "/fd") {
		if to, err := os.Readlink(m.root + process + "/fd/" + name); err == nil && to == device {
			n++
		}
	}
	return n
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
