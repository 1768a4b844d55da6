package v4l2

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// machineWith makes files below a new folder and returns a machine of them.
func machineWith(t *testing.T, contents map[string]string) machine {
	t.Helper()
	root := t.TempDir()
	for name, content := range contents {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(to, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return machine{root: root}
}

func TestPermission_SaysWhatToDo(t *testing.T) {
	const gid = 4244
	group := func(members string) string { return "root:x:0:\nvideo:x:" + strconv.Itoa(gid) + ":" + members + "\n" }
	alice, guest := asker{uid: 1000, groups: []int{1000}}, asker{uid: 4000}
	for _, c := range []struct {
		name  string
		mode  os.FileMode
		group string // of /etc/group
		gid   int
		me    asker
		want  string
	}{
		{"not in the group", 0o660, group(""), gid, alice,
			"alice may not open /dev/video0, the group video may: run `sudo usermod -aG video alice` and log in again, or restart the service"},
		{"in another one's line", 0o660, group("malice,bob"), gid, alice,
			"alice may not open /dev/video0, the group video may: run `sudo usermod -aG video alice` and log in again, or restart the service"},
		{"a user without a name", 0o660, group(""), gid, guest,
			"$USER may not open /dev/video0, the group video may: run `sudo usermod -aG video $USER` and log in again, or restart the service"},
		{"a group without a name", 0o660, "", gid, alice,
			"alice may not open /dev/video0, the group 4244 may, which has no name here: start the container with `--group-add 4244`"},
		{"added, but not logged in again", 0o660, group("bob,alice"), gid, alice,
			"alice is in the group video, which may open /dev/video0, but was not when this program's session began: log in again, or restart the service"},
		{"in the group: something else is in the way", 0o660, group("alice"), gid, asker{uid: 1000, groups: []int{1000, gid}},
			"the system does not let this program open /dev/video0: a container needs `--device /dev/video0`, a service of systemd `DeviceAllow=char-video4linux rw`"},
		{"open to all: something else is in the way", 0o666, group(""), gid, alice,
			"the system does not let this program open /dev/video0: a container needs `--device /dev/video0`, a service of systemd `DeviceAllow=char-video4linux rw`"},
		{"root", 0o660, group(""), gid, asker{},
			"the system does not let this program open /dev/video0: a container needs `--device /dev/video0`, a service of systemd `DeviceAllow=char-video4linux rw`"},
		{"of root's group, which nobody should join", 0o660, group(""), 0, alice,
			"only root may open /dev/video0: run `sudo chgrp video /dev/video0 && sudo chmod g+rw /dev/video0`, then `sudo usermod -aG video alice` and log in again"},
		{"closed to the group", 0o600, group(""), gid, alice,
			"only root may open /dev/video0: run `sudo chgrp video /dev/video0 && sudo chmod g+rw /dev/video0`, then `sudo usermod -aG video alice` and log in again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := machineWith(t, map[string]string{
				"dev/video0": "",
				"etc/passwd": "root:x:0:0::/root:/bin/sh\nbob:x:100:1000::/:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n",
				"etc/group":  c.group,
			})
			node := m.root + "/dev/video0"
			if err := os.Chmod(node, c.mode); err != nil {
				t.Fatal(err)
			}
			// Only root may give a file to a group of choice; for others the test's own
			// group stands for it.
			group := c.gid
			if err := os.Chown(node, -1, group); err != nil {
				if c.gid == 0 {
					t.Skip("only root can make a file of root's group")
				}
				own := strconv.Itoa(os.Getgid())
				etc := strings.ReplaceAll(c.group, strconv.Itoa(gid), own)
				if err := os.WriteFile(m.root+"/etc/group", []byte(etc), 0o600); err != nil {
					t.Fatal(err)
				}
				for i, g := range c.me.groups {
					if g == gid {
						c.me.groups[i] = os.Getgid()
					}
				}
				c.want = strings.ReplaceAll(c.want, strconv.Itoa(gid), own)
			}
			if got := m.permissionOf("/dev/video0", c.me).text(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestPermission_WithoutTheNodeNamesTheUsualGroup(t *testing.T) {
	if got := (machine{root: t.TempDir()}).permissionOf("/dev/video0", asker{}).text(); !strings.Contains(got, "usermod -aG video $USER") {
		t.Error(got)
	}
}

func TestReadable(t *testing.T) {
	for in, want := range map[string]string{
		" HD Webcam\n":       "HD Webcam",
		"a\x1b[31mred":       "a?[31mred",
		"\xff\xfeCam":        "??Cam",
		"Kamera für Türen":   "Kamera für Türen",
		"right\u202eto left": "right?to left",
	} {
		if got := readable(in); got != want {
			t.Errorf("readable(%q) = %q, want %q", in, got, want)
		}
	}
	if got := readable(strings.Repeat("ü", 1000)); len(got) > 130 {
		t.Errorf("%d bytes of a long name", len(got))
	}
}
