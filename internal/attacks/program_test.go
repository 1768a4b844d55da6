package attacks

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// stopTimeout is how long a program may take to end after SIGTERM: one that hangs
	// is told from one that is slow on a busy machine.
	stopTimeout = time.Minute
	// keptLines bounds what is kept of a program's output.
	keptLines = 5000
)

// program is one of ours, running.
type program struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // closed when it has ended and its output is read

	mu    sync.Mutex
	lines []string      // guarded by mu
	more  chan struct{} // closed and replaced with every line; guarded by mu
}

// start runs a program of the world's build until the try ends.
func (w *world) start(name string, args ...string) *program {
	w.Helper()
	p := &program{
		name: name, cmd: exec.Command(w.programs.path(name, len(w.off) > 0), args...),
		done: make(chan struct{}), more: make(chan struct{}),
	}
	var off []string
	for _, n := range w.off {
		off = append(off, string(n))
	}
	p.cmd.Env = append(p.cmd.Environ(), "SIGHTLINE_WEAKEN="+strings.Join(off, ","))
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, write, err := os.Pipe()
	if err != nil {
		w.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = write, write
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		w.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		w.Fatalf("start %s: %v", name, err)
	}
	_ = write.Close()
	go func() {
		defer close(p.done)
		p.read(out)
		_ = p.cmd.Wait() // how it ended is in its output
	}()
	w.Cleanup(func() {
		p.stop(w)
		if w.Failed() {
			w.Logf("the end of what %s %s printed:\n%s", p.name, strings.Join(args, " "), p.tail(12))
		}
	})
	return p
}

func (p *program) read(r io.ReadCloser) {
	defer r.Close()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		if len(p.lines) < keptLines {
			p.lines = append(p.lines, lines.Text())
		}
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

// output returns what it has printed and a channel closed with the next line.
func (p *program) output() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n"), p.more
}

func (p *program) tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-n):], "\n")
}

// says waits until the output matches and returns the groups of the match.
func (p *program) says(ctx context.Context, pattern string) ([]string, error) {
	re := regexp.MustCompile(pattern)
	for ended := p.done; ; {
		text, more := p.output()
		if m := re.FindStringSubmatch(text); m != nil {
			return m, nil
		}
		select {
		case <-more:
		case <-ended:
			ended = nil
			if text, _ := p.output(); !re.MatchString(text) {
				return nil, fmt.Errorf("%s ended without printing %s:\n%s", p.name, pattern, p.tail(5))
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%s does not print %s:\n%s", p.name, pattern, p.tail(5))
		}
	}
}

// stop ends the program, politely first. It may be called again.
func (p *program) stop(w *world) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		w.Errorf("%s did not end within %v of SIGTERM", p.name, stopTimeout)
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	}
	_ = p.in.Close()
}
