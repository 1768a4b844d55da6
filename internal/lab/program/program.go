package program

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// StopTimeout is how long a program may take to end after SIGTERM: one that hangs is
// told from one that is slow on a busy machine.
const StopTimeout = time.Minute

// maxLog bounds what is kept of a program's output, in lines.
const maxLog = 20_000

// Process is what runs: a process of this machine, or of another one.
type Process interface {
	// PID is its number, on the machine where it runs.
	PID() int
	// Signal tells it something. An error says that it may have ended.
	Signal(s syscall.Signal) error
	// Wait waits for its end. It is called once, after the output has ended.
	Wait() error
}

// Program is a program that runs, and all it has printed.
type Program struct {
	// constant after construction
	name    string
	process Process
	done    chan struct{} // closed when it has ended and its output is read
	once    sync.Once

	mu    sync.Mutex
	lines []string      // guarded by mu
	more  chan struct{} // closed and replaced with every line; guarded by mu
}

// Start runs a program until the test ends. Its output is kept, and printed
// if the test fails.
func Start(tb testing.TB, cmd *exec.Cmd) *Program {
	tb.Helper()
	name := cmd.Path
	if len(cmd.Args) > 0 {
		name = strings.Join(cmd.Args[:min(len(cmd.Args), 6)], " ")
	}
	out, in, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = in, in
	// A test that is killed must not leave cameras and servers behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", name, err)
	}
	if err := in.Close(); err != nil {
		tb.Fatal(err)
	}
	return Watch(tb, name, local{cmd}, out)
}

// local is a process of this machine.
type local struct{ cmd *exec.Cmd }

func (l local) PID() int                      { return l.cmd.Process.Pid }
func (l local) Signal(s syscall.Signal) error { return l.cmd.Process.Signal(s) }
func (l local) Wait() error                   { return l.cmd.Wait() }

// Watch takes over a process that was started, until the test ends. Its output
// is read to the end, kept, and printed if the test fails.
func Watch(tb testing.TB, name string, process Process, output io.ReadCloser) *Program {
	tb.Helper()
	p := &Program{name: name, process: process, done: make(chan struct{}), more: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.read(output)
		_ = process.Wait() // how it ended is in its log
	}()
	tb.Cleanup(func() {
		p.Stop(tb)
		if tb.Failed() {
			tb.Logf("output of %s:\n%s", p.name, p.Tail(60))
		}
	})
	return p
}

// read keeps the lines of r to its end.
func (p *Program) read(r io.ReadCloser) {
	defer r.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		if len(p.lines) < maxLog {
			p.lines = append(p.lines, lines.Text())
		}
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

// Log returns the output so far and a channel closed with the next line.
func (p *Program) Log() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n"), p.more
}

// Tail returns the last n lines of output.
func (p *Program) Tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-n):], "\n")
}

// WaitFor waits until the output matches and returns the groups of the match.
func (p *Program) WaitFor(tb testing.TB, pattern string, timeout time.Duration) []string {
	tb.Helper()
	re := regexp.MustCompile(pattern)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for ended := p.done; ; {
		text, more := p.Log()
		if m := re.FindStringSubmatch(text); m != nil {
			return m
		}
		select {
		case <-more:
		case <-ended:
			ended = nil // look once more
			if text, _ := p.Log(); re.MatchString(text) {
				continue
			}
			tb.Fatalf("%s ended without printing %s", p.name, pattern)
		case <-timer.C:
			tb.Fatalf("%s did not print %s within %v", p.name, pattern, timeout)
		}
	}
}

// Stop ends the program politely and reports one that does not listen.
func (p *Program) Stop(tb testing.TB) {
	tb.Helper()
	p.once.Do(func() {
		_ = p.process.Signal(syscall.SIGTERM) // it may have ended
		if !p.Ended(StopTimeout) {
			tb.Errorf("%s did not end within %v of SIGTERM", p.name, StopTimeout)
			_ = p.process.Signal(syscall.SIGKILL) // it may have ended
			<-p.done
		}
	})
}

// Kill ends the program as a crash or a power cut does.
func (p *Program) Kill(tb testing.TB) {
	tb.Helper()
	p.once.Do(func() {
		if err := p.process.Signal(syscall.SIGKILL); err != nil {
			tb.Errorf("kill %s: %v", p.name, err)
		}
		<-p.done
	})
}

// Ended reports whether the program ends within the timeout.
func (p *Program) Ended(timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

// Done returns a channel that is closed once the program has ended and its output
// is read.
func (p *Program) Done() <-chan struct{} { return p.done }

// PID returns the number of the process.
func (p *Program) PID() int { return p.process.PID() }
