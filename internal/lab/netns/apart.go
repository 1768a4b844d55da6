//go:build linux

package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// apartVariable has, in a process that Apart has started, the file of the network
// namespace that it came from.
const apartVariable = "SIGHTLINE_TEST_APART"

// Apart gives the tests of a package a network namespace of their own, with a
// loopback interface and nothing else: call it first in TestMain. It runs the
// process again inside and ends as that one does; inside it returns. The namespace
// has no name and needs no removal, it is gone with its last process.
//
// Where that is not allowed it returns too: see NeedApart.
func Apart() {
	if os.Getenv(apartVariable) == "" {
		if code, ok := again(); ok {
			os.Exit(code)
		}
		return
	}
	if err := loopbackUp(); err != nil {
		panic(err)
	}
}

// NeedApart skips the test unless Apart has given its process a namespace. Where CI
// is set to true it fails instead.
func NeedApart(tb testing.TB) {
	tb.Helper()
	Need(tb)
	switch {
	case os.Getenv(apartVariable) != "":
	case os.Getenv("CI") == "true":
		tb.Fatal("this process may not make network namespaces, and CI=true does not allow to skip")
	default:
		tb.Skip("this process may not make network namespaces")
	}
}

// loopbackUp sets the loopback interface up (netdevice(7)).
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("set the loopback interface up: %w", err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was sent
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("set the loopback interface up: %w", err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set the loopback interface up: %w", err)
	}
	return nil
}

// Outside calls f while its goroutine is where the process was before Apart. What
// needs a network, a download say, is started there.
func Outside(f func() error) error {
	outside := os.Getenv(apartVariable)
	if outside == "" {
		return f()
	}
	return doIn("the network of this machine", outside, f)
}

// again runs this process inside a new namespace and returns its exit code; false if
// there cannot be one.
func again() (code int, ok bool) {
	cmd := exec.Command(os.Args[0], os.Args[1:]...) //nolint:noctx // it ends with this process
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), apartVariable+fmt.Sprintf("=/proc/%d/ns/net", os.Getpid()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if cmd.Start() != nil {
		return 0, false
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), true
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "the tests in a network namespace of their own: %v\n", err)
		return 1, true
	}
	return 0, true
}
