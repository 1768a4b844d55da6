package accesslog

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs the test again as a user for whom modes count: root may read and
// write everything.
func asNobody(t *testing.T) {
	t.Helper()
	// By this name, because the program lies in a folder of root's.
	again := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
	again.Dir = "/"
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
