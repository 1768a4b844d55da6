//go:build linux

package main

import (
	"encoding/gob"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/sightline-cam/sightline/internal/lab/vm/wire"
)

// handle runs one program. It ends with the connection, and all it has started
// that stayed in its process group.
func handle(c net.Conn) {
	defer c.Close() //nolint:errcheck // nothing is behind it
	dec, out := gob.NewDecoder(c), &sender{enc: gob.NewEncoder(c)}
	var r wire.Request
	if dec.Decode(&r) != nil {
		return
	}
	if len(r.Args) == 0 {
		out.send(wire.Output{Done: true, Error: "no program"})
		return
	}
	cmd := exec.Command(r.Args[0], r.Args[1:]...) //nolint:noctx // the connection ends it
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Credential: &syscall.Credential{Uid: r.UID, Gid: r.GID, Groups: r.Groups},
	}
	cmd.Stdout, cmd.Stderr = stream{out, false}, stream{out, true}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = out.start(cmd)
	}
	if err != nil {
		out.send(wire.Output{Done: true, Error: err.Error()})
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		input(dec, in, cmd.Process)
		// Nobody waits for it any more, or it has ended.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}()
	err = cmd.Wait()
	end := wire.Output{Done: true, Code: cmd.ProcessState.ExitCode()}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		end.Code = 128 + int(s.Signal())
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		end.Error = err.Error()
	}
	out.send(end)
	<-gone
}

// input passes on what the test sends, until the connection ends.
func input(dec *gob.Decoder, in io.WriteCloser, p *os.Process) {
	for {
		var i wire.Input
		if dec.Decode(&i) != nil {
			return
		}
		if len(i.Data) > 0 {
			_, _ = in.Write(i.Data) // the program may have ended
		}
		if i.End {
			_ = in.Close()
		}
		if i.Signal != 0 {
			_ = p.Signal(syscall.Signal(i.Signal)) // likewise
		}
	}
}

// sender sends messages one at a time.
type sender struct {
	mu  sync.Mutex
	enc *gob.Encoder // guarded by mu
}

// start starts a program and sends its number, before anything that the program says.
func (s *sender) start(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = s.enc.Encode(wire.Output{PID: cmd.Process.Pid}) // as in send
	return nil
}

func (s *sender) send(o wire.Output) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.enc.Encode(o) // if the test is gone, the program ends soon
}

// stream is stdout or stderr.
type stream struct {
	to     *sender
	stderr bool
}

// Write implements io.Writer.
func (s stream) Write(b []byte) (int, error) {
	s.to.send(wire.Output{Data: b, Stderr: s.stderr})
	return len(b), nil
}
