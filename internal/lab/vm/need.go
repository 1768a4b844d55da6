//go:build linux

package vm

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// emulator is the program that the machine runs in.
const emulator = "qemu-system-x86_64"

// Need skips the test unless a machine can be booted here. Where CI is set to true
// it fails instead.
func Need(tb testing.TB) {
	tb.Helper()
	if why := missing(); why != "" {
		Absent(tb, why)
	}
}

// Absent skips the test for a reason, or fails it where CI=true.
func Absent(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s, and CI=true does not allow to skip", why)
	}
	tb.Skip(why)
}

// missing says what a machine needs and this one does not have.
func missing() string {
	if os.Geteuid() != 0 {
		return "the network of a virtual machine needs root"
	}
	for program, from := range map[string]string{
		emulator: "qemu-system-x86", "busybox": "busybox-static", "ip": "iproute2", "make": "make", "gcc": "gcc",
		"apt-get": "a Debian", "apt-cache": "a Debian", "dpkg-deb": "a Debian",
	} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("%s is not installed; it comes with %s", program, from)
		}
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return "there is no /dev/net/tun for the network of a virtual machine"
	}
	if _, err := busybox(); err != nil {
		return err.Error()
	}
	return ""
}

// busybox returns the path of a busybox that needs no libraries.
func busybox() (string, error) {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return "", err
	}
	f, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s needs libraries; install busybox-static", path)
		}
	}
	return path, nil
}
