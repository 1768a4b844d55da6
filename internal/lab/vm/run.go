//go:build linux

package vm

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/internal/lab/vm/wire"
)

// Command is a program to run in a machine.
type Command struct {
	// Args are the program and its arguments.
	Args []string
	// Env is added to the environment: "NAME=value".
	Env []string
	// User runs it without any rights, as user and group 1000.
	User bool
	// Groups are further groups of the user.
	Groups []uint32
	// Stdin is its input; nil is none.
	Stdin io.Reader
}

// user is the number of the user without rights, and of its group.
const user = 1000

// ExitError says that a program has ended with another code than 0.
type ExitError struct {
	Args   []string
	Code   int
	Stderr string
}

// Error implements error.
func (e *ExitError) Error() string {
	return fmt.Sprintf("%s: exit code %d: %s", strings.Join(e.Args, " "), e.Code, strings.TrimSpace(e.Stderr))
}

// Run runs a program to its end and returns what it wrote to stdout. A code other
// than 0 is an *ExitError.
func (m *Machine) Run(ctx context.Context, c Command) ([]byte, error) {
	p, err := m.start(ctx, c)
	if err != nil {
		return nil, err
	}
	defer p.end()
	sent := make(chan error, 1)
	go func() { sent <- p.feed(c.Stdin) }()
	var stdout, stderr []byte
	for {
		o, err := p.next()
		switch {
		case err != nil:
			return stdout, err
		case o.Error != "":
			return stdout, fmt.Errorf("%s: %s", strings.Join(c.Args, " "), o.Error)
		case o.Done && o.Code != 0:
			return stdout, &ExitError{Args: c.Args, Code: o.Code, Stderr: string(stderr)}
		case o.Done:
			return stdout, <-sent
		case o.Stderr:
			stderr = append(stderr, o.Data...)
		default:
			stdout = append(stdout, o.Data...)
		}
	}
}

// commandTimeout bounds Sh, Load and Unload.
const commandTimeout = 5 * time.Minute

// Sh runs a line of shell and returns what it printed. If it fails, so does the
// test.
func (m *Machine) Sh(tb testing.TB, line string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout) // cleanups use it
	defer cancel()
	out, err := m.Run(ctx, Command{Args: []string{"sh", "-c", line}})
	if err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// Put writes a file in the machine.
func (m *Machine) Put(tb testing.TB, path string, mode os.FileMode, data io.Reader) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), commandTimeout)
	defer cancel()
	line := fmt.Sprintf("mkdir -p %q && cat > %q && chmod %o %q", filepath.Dir(path), path, mode, path)
	if _, err := m.Run(ctx, Command{Args: []string{"sh", "-c", line}, Stdin: data}); err != nil {
		tb.Fatalf("write %s in the virtual machine: %v", path, err)
	}
}

// Load loads a module and what it needs. parameters are of the module: "n_devs=2".
func (m *Machine) Load(tb testing.TB, name string, parameters ...string) {
	tb.Helper()
	files, err := m.kernel.modules(name)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		inside := modulePath(f)
		if other := moduleName(f); other != name {
			if m.loaded[other] {
				continue
			}
			m.loaded[other] = true
		}
		line := "insmod " + inside
		if moduleName(f) == name {
			line += " " + strings.Join(parameters, " ")
		}
		m.Sh(tb, line)
	}
}

// Unload removes a module, but not what it needed.
func (m *Machine) Unload(tb testing.TB, name string) {
	tb.Helper()
	m.Sh(tb, "rmmod "+name)
}

// note remembers that a module is loaded, and what it needed.
func (m *Machine) note(name string) {
	files, _ := m.kernel.modules(name) // they were read before
	for _, f := range files {
		m.loaded[moduleName(f)] = true
	}
}

// Start starts a program that ends with the test, and is watched as others are. Its
// Stdin must end with the test.
func (m *Machine) Start(tb testing.TB, c Command) *program.Program {
	tb.Helper()
	p, err := m.start(context.Background(), c) // it ends in a cleanup, after the test's context
	if err != nil {
		tb.Fatal(err)
	}
	out, in := io.Pipe()
	go p.copy(in)
	if c.Stdin != nil {
		go func() { _ = p.feed(c.Stdin) }() // the end of the program, or of its input, ends it
	}
	return program.Watch(tb, strings.Join(c.Args[:min(len(c.Args), 6)], " "), p, out)
}

// process is a program that runs in a machine.
type process struct {
	// constant after construction
	m     *Machine
	pid   int
	dec   *gob.Decoder // of the one who reads
	close func()
	ended chan struct{} // closed after copy

	mu  sync.Mutex
	enc *gob.Encoder // guarded by mu
}

// start starts a program, which ends with ctx.
func (m *Machine) start(ctx context.Context, c Command) (*process, error) {
	conn, end, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{m: m, dec: gob.NewDecoder(conn), enc: gob.NewEncoder(conn), close: end, ended: make(chan struct{})}
	r := wire.Request{Args: c.Args, Env: c.Env, Groups: c.Groups}
	if c.User {
		r.UID, r.GID = user, user
	}
	err = p.enc.Encode(r)
	var first wire.Output
	if err == nil {
		first, err = p.next()
	}
	if err == nil && first.Error != "" {
		err = errors.New(first.Error)
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("start %s in the virtual machine: %w", strings.Join(c.Args, " "), err)
	}
	p.pid = first.PID
	return p, nil
}

// next waits for a message.
func (p *process) next() (o wire.Output, err error) {
	if err = p.dec.Decode(&o); err == nil {
		return o, nil
	}
	select {
	case <-p.m.dead:
		return o, p.m.cause
	default:
	}
	if errors.Is(err, net.ErrClosed) {
		return o, errors.New("it took too long")
	}
	return o, fmt.Errorf("the virtual machine has stopped talking: %w", err)
}

// feed gives a program its input.
func (p *process) feed(r io.Reader) error {
	if r != nil {
		for buf := make([]byte, 256<<10); ; {
			n, err := r.Read(buf)
			if n > 0 {
				if err := p.send(wire.Input{Data: buf[:n]}); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return p.send(wire.Input{End: true})
}

func (p *process) send(i wire.Input) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.enc.Encode(i)
}

// copy copies what a program prints, to its end.
func (p *process) copy(to *io.PipeWriter) {
	defer close(p.ended)
	defer to.Close() //nolint:errcheck // a pipe's is nil
	for {
		o, err := p.next()
		switch {
		case err != nil:
			fmt.Fprintf(to, "\n%v\n", err)
			return
		case o.Done && (o.Code != 0 || o.Error != ""):
			fmt.Fprintf(to, "\nexit code %d %s\n", o.Code, o.Error)
			return
		case o.Done:
			return
		}
		if _, err := to.Write(o.Data); err != nil {
			return
		}
	}
}

// end gives back what the process holds.
func (p *process) end() { p.close() }

// PID implements program.Process.
func (p *process) PID() int { return p.pid }

// Signal implements program.Process.
func (p *process) Signal(s syscall.Signal) error { return p.send(wire.Input{Signal: int(s)}) }

// Wait implements program.Process.
func (p *process) Wait() error {
	<-p.ended
	p.end()
	return nil
}
