package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxSocketPath is the longest path that every system takes for a Unix socket.
const maxSocketPath = 103

// ListenConsole listens on the Unix socket at path, for Options.Console. Only
// the user whom the agent runs as, and root, may connect: the file has mode
// 0600, and on Linux the kernel says who is at the other end. A socket that
// nobody listens on any more is replaced; one that somebody does is an error.
func ListenConsole(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the console's socket, %s, is too long for this system (%d bytes at most); choose a state folder with a shorter name", path, maxSocketPath)
	}
	if err := removeStaleSocket(path); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the console's socket: %w", err)
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(errors.New("listen on the console's socket: no Unix socket"), l.Close())
	}
	// Whoever connected before this is judged by Accept on Linux; elsewhere the
	// folder's mode keeps others out.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the console's socket to ourselves: %w", err), u.Close())
	}
	return newConsoleListener(u, path), nil
}

// removeStaleSocket takes away what an agent left that did not end properly.
func removeStaleSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the console's socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is in the way of the console's socket; move it elsewhere", path)
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(context.Background(), "unix", path)
	if err == nil {
		_ = c.Close()
		return fmt.Errorf("another agent uses this state folder and answers at %s; stop it, or choose another folder", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("find out whether another agent uses this state folder: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the console's old socket: %w", err)
	}
	return nil
}

// consoleListener takes connections of our own user and of root.
type consoleListener struct {
	*net.UnixListener
	close func() error
}

func newConsoleListener(u *net.UnixListener, path string) *consoleListener {
	ours, _ := os.Lstat(path)
	u.SetUnlinkOnClose(false) // another agent's may be there by then
	return &consoleListener{UnixListener: u, close: sync.OnceValue(func() error {
		if now, err := os.Lstat(path); err == nil && ours != nil && os.SameFile(ours, now) {
			_ = os.Remove(path)
		}
		return u.Close()
	})}
}

// Accept implements net.Listener.
func (l *consoleListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if mayUseConsole(c) {
			return c, nil
		}
		_ = c.Close()
	}
}

// Close stops listening and removes the socket's file. Idempotent.
func (l *consoleListener) Close() error { return l.close() }
