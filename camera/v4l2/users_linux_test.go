package v4l2

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestUsedBy_NamesWhoHasItOpen(t *testing.T) {
	node := filepath.Join(t.TempDir(), "video0")
	f, err := os.Create(node)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	link := filepath.Join(t.TempDir(), "stable")
	if err := os.Symlink(node, link); err != nil {
		t.Fatal(err)
	}
	if got := usedBy(node); got != "" {
		t.Errorf("used by %q where only the asker has it open", got)
	}

	cat := exec.CommandContext(t.Context(), "cat")
	cat.ExtraFiles = []*os.File{f}
	in, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	want := "cat (pid " + strconv.Itoa(cat.Process.Pid) + ")"
	for _, path := range []string{node, link} {
		if got := usedBy(path); got != want {
			t.Errorf("used by %q, want %q", got, want)
		}
	}
	if got := usedBy(node + "1"); got != "" {
		t.Errorf("another node is used by %q", got)
	}

	again, err := os.Open(node)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := usedBy(node); got != want {
		t.Errorf("used by %q, want %q: the other program is to be named first", got, want)
	}
	in.Close()
	if err := cat.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := usedBy(node), "this agent itself, for another camera"; got != want {
		t.Errorf("used by %q, want %q", got, want)
	}
}

func TestUsedBy_NamesAFewAndMakesThemReadable(t *testing.T) {
	proc := map[string]string{"proc/version": "", "proc/self/fd/3": "-> /dev/video0"}
	for pid, name := range map[string]string{"9": "zoom", "40": "mot\x1bion\n", "41": "cheese", "100": "fourth", "7": "other"} {
		proc["proc/"+pid+"/comm"] = name
		proc["proc/"+pid+"/fd/0"] = "-> /dev/null"
		proc["proc/"+pid+"/fd/5"] = "-> /dev/video0"
	}
	proc["proc/7/fd/5"] = "-> /dev/video00"
	m := machineWith(t, proc)
	if got, want := m.usedBy("/dev/video0"), "zoom (pid 9), mot?ion (pid 40), cheese (pid 41)"; got != want {
		t.Errorf("used by %q, want %q", got, want)
	}
}
