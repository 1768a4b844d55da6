package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

// process is a program under test.
type process struct{ *program.Program }

// start runs a program until the test ends. Its output is kept, and printed
// if the test fails.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return &process{program.Start(t, exec.Command(name, args...))}
}

func (p *process) waitFor(t *testing.T, pattern string, timeout time.Duration) []string {
	t.Helper()
	return p.WaitFor(t, pattern, timeout)
}

func (p *process) log() (string, <-chan struct{})   { return p.Log() }
func (p *process) kill(t *testing.T)                { p.Kill(t) }
func (p *process) stop(t *testing.T)                { p.Stop(t) }
func (p *process) ended(timeout time.Duration) bool { return p.Ended(timeout) }

// residentKB returns the resident memory of the process in KiB.
func (p *process) residentKB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	var kb int
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); err == nil {
			return kb
		}
	}
	t.Fatal("no VmRSS in /proc")
	return 0
}
