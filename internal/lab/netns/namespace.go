//go:build linux

package netns

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace.
type Namespace struct {
	// Name is what `ip netns exec` takes.
	Name string
}

// Command returns a command that will run in the namespace. It ends with ctx.
func (n *Namespace) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	command := n.Enter(name)
	return exec.CommandContext(ctx, command[0], append(command[1:], args...)...)
}

// Enter returns the command line that runs a program in the namespace. The
// program takes the place of what enters, so that the process is the program's.
func (n *Namespace) Enter(args ...string) []string {
	return append([]string{"ip", "netns", "exec", n.Name}, args...)
}

// Do calls f while its goroutine is in the namespace. Sockets that f opens stay
// there; goroutines that it starts are outside.
func (n *Namespace) Do(f func() error) error {
	return doIn(n.Name, "/run/netns/"+n.Name, f)
}

// doIn calls f while its goroutine is in the namespace of a file.
func doIn(name, file string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- enter(name, file, f) }()
	return <-done
}

// enter runs in a goroutine of its own. Its thread is given back only if it is
// where it was; otherwise it ends with the goroutine.
func enter(name, file string, f func() error) error {
	runtime.LockOSThread()
	outside, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return fmt.Errorf("remember the network namespace: %w", err)
	}
	defer outside.Close() //nolint:errcheck // it was only read
	inside, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("enter %s: %w", name, err)
	}
	defer inside.Close() //nolint:errcheck // it was only read
	if err := unix.Setns(int(inside.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", name, err)
	}
	err = f()
	if back := unix.Setns(int(outside.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("leave %s: %w", name, back))
	}
	runtime.UnlockOSThread()
	return err
}

// Listen opens a TCP listener in the namespace.
func (n *Namespace) Listen(ctx context.Context, address string) (l net.Listener, err error) {
	err = n.Do(func() error {
		var c net.ListenConfig
		l, err = c.Listen(ctx, "tcp", address)
		return err
	})
	return l, err
}

// ListenPacket opens a UDP socket in the namespace.
func (n *Namespace) ListenPacket(ctx context.Context, address string) (c net.PacketConn, err error) {
	err = n.Do(func() error {
		var lc net.ListenConfig
		c, err = lc.ListenPacket(ctx, "udp", address)
		return err
	})
	return c, err
}

// bridgesOnly keeps the rules away from what a bridge passes on: hosts of a LAN
// reach each other without their router. The setting is there only if the
// kernel's module is.
func (n *Namespace) bridgesOnly() error {
	err := n.set("0", "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// set writes kernel settings of the namespace, named as below /proc/sys/net.
func (n *Namespace) set(value string, names ...string) error {
	return n.Do(func() error {
		for _, name := range names {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
		}
		return nil
	})
}
