package v4l2

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// permission is who may open a node, and who asks.
type permission struct {
	path      string
	user      string // who runs this program
	group     string // that may open the node; "" if none may, or root's
	member    bool   // the user is in the group, by the system's list
	named     bool   // the group has a name here
	effective bool   // this program is, or runs as root
}

// asker is who runs this program.
type asker struct {
	uid    int
	groups []int
}

// permissionText says what to do about a node that this program may not open.
func permissionText(path string) string {
	groups, _ := os.Getgroups() // without them the advice is at worst one that was followed
	me := asker{uid: os.Geteuid(), groups: append(groups, os.Getegid())}
	return machine{}.permissionOf(path, me).text()
}

func (p permission) text() string {
	join := "run `sudo usermod -aG " + p.group + " " + p.user + "` and log in again, or restart the service"
	switch {
	case p.effective:
		return "the system does not let this program open " + p.path + ": a container needs `--device " + p.path +
			"`, a service of systemd `DeviceAllow=char-video4linux rw`"
	case p.group == "":
		return "only root may open " + p.path + ": run `sudo chgrp video " + p.path + " && sudo chmod g+rw " + p.path +
			"`, then `sudo usermod -aG video " + p.user + "` and log in again"
	case p.member:
		return p.user + " is in the group " + p.group + ", which may open " + p.path +
			", but was not when this program's session began: log in again, or restart the service"
	case !p.named:
		return p.user + " may not open " + p.path + ", the group " + p.group + " may, which has no name here: start the container with `--group-add " + p.group + "`"
	default:
		return p.user + " may not open " + p.path + ", the group " + p.group + " may: " + join
	}
}

func (m machine) permissionOf(path string, me asker) permission {
	user := entry(m.read("/etc/passwd"), me.uid)
	p := permission{path: path, user: "$USER"}
	if user != nil {
		p.user = readable(user[0])
	}
	gid, mode, ok := ownerOf(m.root + path)
	if !ok {
		p.group, p.named = "video", true // as nearly everywhere
		return p
	}
	p.effective = me.uid == 0 || mode&0o006 == 0o006
	if gid == 0 || mode&0o060 != 0o060 {
		return p
	}
	p.effective = p.effective || slices.Contains(me.groups, gid)
	p.group = strconv.Itoa(gid)
	if group := entry(m.read("/etc/group"), gid); group != nil {
		p.group, p.named = readable(group[0]), true
		p.member = len(group) > 3 && user != nil && slices.Contains(strings.Split(group[3], ","), user[0])
	}
	return p
}

// entry returns the fields of the line of /etc/passwd or /etc/group with that number.
func entry(file string, id int) []string {
	number := strconv.Itoa(id)
	for line := range strings.Lines(file) {
		if fields := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(fields) > 2 && fields[2] == number {
			return fields
		}
	}
	return nil
}
