//go:build linux

package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// apartVariable has, in a process that Apart has started, the file of the network
// namespace that it came from.
const apartVariable = "SIGHTLINE_TEST_APART"

// Apart gives the tests of a package a network namespace of their own, with a
// loopback interface and nothing else: call it first in TestMain. It runs the
// process again inside and ends as that one does; inside it returns. The namespace
// has no name and needs no removal, it is gone with its last process.
//
// Without root it returns at once: what Need says then is true.
func Apart() {
	if os.Geteuid() != 0 {
		return
	}
	if os.Getenv(apartVariable) == "" {
		os.Exit(again())
	}
	if err := run("", "ip", "link", "set", "lo", "up"); err != nil {
		panic(err)
	}
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

// again runs this process inside a new namespace and returns its exit code.
func again() int {
	cmd := exec.Command(os.Args[0], os.Args[1:]...) //nolint:noctx // it ends with this process
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), apartVariable+fmt.Sprintf("=/proc/%d/ns/net", os.Getpid()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "run the tests in a network namespace of their own: %v\n", err)
		return 1
	}
	return 0
}
