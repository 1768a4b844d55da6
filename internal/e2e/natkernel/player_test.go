package natkernel

import (
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/netns"
	"github.com/sightline-cam/sightline/internal/lab/program"
)

// player is a viewer that goes on, and when its video came.
type player struct {
	*program.Program // without its video

	mu   sync.Mutex
	came []time.Time // of each piece of video; guarded by mu
}

// play starts a viewer at a host, which ends with the test.
func (w *world) play(t *testing.T, h *netns.Host, args ...string) *player {
	t.Helper()
	p := &player{}
	cmd := w.command(t, h.Namespace, append([]string{"view", "--log-level", "info"}, args...)...)
	// The video comes by a pipe of its own: what goes to the log is text.
	fifo := w.dir + "/" + time.Now().Format("150405.000000000")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Args = append(cmd.Args, "-o", fifo)
	video := exec.Command("cat", fifo)
	out, err := video.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := video.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for buf := make([]byte, 64<<10); ; {
			if _, err := out.Read(buf); err != nil {
				return
			}
			p.mu.Lock()
			p.came = append(p.came, time.Now())
			p.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = video.Process.Kill() // it has ended if the viewer ever opened the pipe
		reading.Wait()
		_ = video.Wait()
	})
	p.Program = program.Start(t, cmd)
	return p
}

// times returns when video came.
func (p *player) times() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.came)
}

// waitVideo waits until n more pieces of video have come after a moment.
func (p *player) waitVideo(t *testing.T, n int, after time.Time, timeout time.Duration) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(timeout); ; <-tick.C {
		later := 0
		for _, at := range p.times() {
			if at.After(after) {
				later++
			}
		}
		if later >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d pieces of video in %v, want %d\n%s", later, timeout, n, p.Tail(30))
		}
	}
}

// path returns the one in use, as the viewer has logged it.
func (p *player) path() string {
	log, _ := p.Log()
	last := "no path"
	for line := range strings.Lines(log) {
		if _, path, ok := strings.Cut(strings.TrimSpace(line), "msg=connected path="); ok {
			last = path
		}
	}
	return last
}

// gap returns the longest time without video from a moment on.
func (p *player) gap(from time.Time) time.Duration {
	last, longest := from, time.Duration(0)
	for _, at := range p.times() {
		if at.After(from) {
			longest = max(longest, at.Sub(last))
			last = at
		}
	}
	return max(longest, time.Since(last))
}
