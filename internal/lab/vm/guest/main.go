//go:build linux

// Command guest is the first process of a machine of package vm: it loads the
// modules of its network, gives it an address, and runs what the test asks for.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sightline-cam/sightline/internal/lab/vm/wire"
)

func main() {
	fmt.Fprintln(os.Stderr, "guest:", serve())
	// The end of the first process is a panic of the kernel, which ends the machine.
}

// serve sets the machine up and runs programs until it cannot.
func serve() error {
	if err := mount(); err != nil {
		return err
	}
	data, err := os.ReadFile(wire.SetupFile)
	if err != nil {
		return err
	}
	var setup wire.Setup
	if err := json.Unmarshal(data, &setup); err != nil {
		return fmt.Errorf("%s: %w", wire.SetupFile, err)
	}
	if err := os.Setenv("PATH", "/bin"); err != nil {
		return err
	}
	commands := [][]string{{"/bin/busybox", "--install", "-s", "/bin"}}
	for _, m := range setup.Modules {
		commands = append(commands, []string{"insmod", m})
	}
	for _, text := range []string{
		"hostname lab",
		"ip link set lo up",
		"ip addr add " + wire.GuestAddress + wire.PrefixLength + " dev eth0",
		"ip link set eth0 up",
		"ip route add default via " + wire.HostAddress,
	} {
		commands = append(commands, strings.Fields(text))
	}
	for _, c := range commands {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil { //nolint:noctx // there is nobody to cancel it
			return fmt.Errorf("%s: %w: %s", strings.Join(c, " "), err, out)
		}
	}
	l, err := net.Listen("tcp", ":"+wire.Port) //nolint:noctx // as above
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, setup.Greeting)
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go handle(c)
	}
}

// mount mounts what programs expect.
func mount() error {
	var errs []error
	for _, m := range []struct{ path, kind, options string }{
		{"/proc", "proc", ""}, {"/sys", "sysfs", ""}, {"/dev", "devtmpfs", ""}, {"/dev/shm", "tmpfs", "mode=1777"},
		{"/tmp", "tmpfs", "mode=1777"}, {"/run", "tmpfs", "mode=755"}, {"/sys/kernel/config", "configfs", ""},
	} {
		if filepath.Dir(m.path) == "/" || m.kind == "tmpfs" {
			errs = append(errs, os.MkdirAll(m.path, 0o755))
		}
		err := unix.Mount(m.kind, m.path, m.kind, 0, m.options)
		if m.kind == "configfs" {
			continue // its module is not always there
		}
		if err != nil {
			err = fmt.Errorf("mount %s: %w", m.path, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
