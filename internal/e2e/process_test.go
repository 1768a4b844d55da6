package e2e

import (
	"fmt"
	"net"
	"net/http"
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

// freePort returns a TCP port of loopback that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// waitHTTP waits until a URL answers with 200.
func waitHTTP(t *testing.T, url string, timeout time.Duration) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(timeout); ; <-tick.C {
		res, err := client.Get(url)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer within %v: %v", url, timeout, err)
		}
	}
}
