//go:build linux

package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/internal/lab/vm/wire"
)

// bootTimeout is how long a slow computer may take to boot one. It is about ten
// seconds otherwise.
const bootTimeout = 10 * time.Minute

// greeting is what the guest prints when it can be talked to.
const greeting = "the machine is ready"

// The addresses of a machine and of the tests, in a network of the two.
const (
	Address     = wire.GuestAddress
	HostAddress = wire.HostAddress
)

// Options say what a machine is like.
type Options struct {
	// Memory is in MiB; default 1024.
	Memory int
	// Processors is their number; default 2.
	Processors int
	// Files are in the machine from the start: files of this one by their paths there.
	Files map[string]string
	// ConsoleLog is a file that takes what the kernel has printed if the test
	// fails; default none.
	ConsoleLog string
}

// Machine is a machine that runs.
type Machine struct {
	// constant after Boot
	kernel *Kernel
	qemu   *program.Program
	dead   chan struct{} // closed when the machine is gone
	stop   context.CancelFunc
	cause  error // of the end, once dead is closed
	loaded map[string]bool
}

// Boot boots a machine that ends with the test. Its network is a tap device in the
// network namespace of this process: see netns.Apart. There can be one at a time.
func Boot(tb testing.TB, k *Kernel, o Options) *Machine {
	tb.Helper()
	if o.Memory == 0 {
		o.Memory = 1024
	}
	if o.Processors == 0 {
		o.Processors = 2
	}
	addTap(tb)
	disk := filepath.Join(tb.TempDir(), "initramfs")
	if err := k.writeDisk(tb.Context(), disk, o.Files); err != nil {
		tb.Fatalf("files for a virtual machine: %v", err)
	}
	m := &Machine{kernel: k, dead: make(chan struct{}), loaded: map[string]bool{}}
	// A panic is the end: the machine would restart, and may not. That it stood still is
	// none: the computer had other things to do.
	m.qemu = program.Start(tb, exec.Command(emulator, //nolint:noctx // it ends with the test
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
		"-m", fmt.Sprint(o.Memory), "-smp", fmt.Sprint(o.Processors),
		"-kernel", filepath.Join(k.dir, imageName), "-initrd", disk,
		"-append", "console=ttyS0 loglevel=5 panic=-1 oops=panic nowatchdog random.trust_cpu=on",
		"-serial", "stdio",
		"-netdev", "tap,id=net,ifname="+tapName+",script=no,downscript=no", "-device", "virtio-net-pci,netdev=net,romfile=",
	))
	ctx, stop := context.WithCancel(context.Background()) // cleanups talk to the machine, too
	m.stop = stop
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		m.watch(ctx)
	}()
	tb.Cleanup(func() {
		stop()
		<-watching
		if tb.Failed() && o.ConsoleLog != "" {
			text, _ := m.qemu.Log()
			if err := os.WriteFile(o.ConsoleLog, []byte(text), 0o600); err != nil {
				tb.Error(err)
			}
		}
	})
	m.await(tb)
	for _, name := range network() {
		m.note(name)
	}
	return m
}

// await waits until the machine can be talked to.
func (m *Machine) await(tb testing.TB) {
	tb.Helper()
	timer := time.NewTimer(bootTimeout)
	defer timer.Stop()
	for {
		text, more := m.qemu.Log()
		if strings.Contains(text, greeting) {
			return
		}
		select {
		case <-more:
		case <-m.dead:
			tb.Fatalf("the virtual machine did not boot: %v", m.cause)
		case <-timer.C:
			tb.Fatalf("the virtual machine did not boot within %v", bootTimeout)
		}
	}
}

// fatal finds what the kernel prints when something is wrong with it.
func fatal() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^.*(Kernel panic|Oops:|BUG: |general protection fault|Out of memory: ).*$`)
}

// watch looks for the end of the machine, which is a panic if it is not the test's.
func (m *Machine) watch(ctx context.Context) {
	defer close(m.dead)
	wrong := fatal()
	for {
		text, more := m.qemu.Log()
		if line := wrong.FindString(text); line != "" {
			// The rest is of interest, and comes soon.
			m.qemu.Ended(2 * time.Second)
			m.cause = fmt.Errorf("the kernel of the virtual machine says: %s\n%s", strings.TrimSpace(line), m.qemu.Tail(60))
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			m.cause = errors.New("the test is over")
			return
		case <-m.qemu.Done():
			m.cause = fmt.Errorf("qemu has ended:\n%s", m.qemu.Tail(20))
			return
		}
	}
}

// dial opens a connection to the guest's first process. It ends with ctx and with
// the machine.
func (m *Machine) dial(ctx context.Context) (net.Conn, func(), error) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-m.dead:
			cancel(m.cause)
		case <-done:
		}
	}()
	var once bool
	end := func() {
		if !once {
			once = true
			close(done)
			cancel(nil)
		}
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(Address, wire.Port))
	if err != nil {
		err = errors.Join(context.Cause(ctx), err)
		end()
		return nil, nil, fmt.Errorf("talk to the virtual machine: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	return c, func() { stop(); _ = c.Close(); end() }, nil
}

// tapName is the name of the network device outside the machine.
const tapName = "sl-tap"

// addTap makes the machine's network.
func addTap(tb testing.TB) {
	tb.Helper()
	ip := func(args ...string) {
		tb.Helper()
		if out, err := exec.CommandContext(tb.Context(), "ip", args...).CombinedOutput(); err != nil {
			tb.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	ip("tuntap", "add", "dev", tapName, "mode", "tap")
	tb.Cleanup(func() {
		if out, err := exec.Command("ip", "link", "del", tapName).CombinedOutput(); err != nil { //nolint:noctx // the test's context is over
			tb.Errorf("remove the virtual machine's network: %v: %s", err, out)
		}
	})
	ip("addr", "add", HostAddress+wire.PrefixLength, "dev", tapName)
	ip("link", "set", tapName, "up")
}

// writeDisk writes the machine's first files: all modules are among them.
func (k *Kernel) writeDisk(ctx context.Context, disk string, files map[string]string) error {
	guest, err := Build(ctx, Program{Name: "guest", Package: "./internal/lab/vm/guest"})
	if err != nil {
		return err
	}
	box, err := busybox()
	if err != nil {
		return err
	}
	a := &archive{}
	for _, name := range []string{"bin", "dev", "etc", "lib", "proc", "root", "sys", "tmp"} {
		a.addDir(name)
	}
	all := maps.Clone(files)
	if all == nil {
		all = map[string]string{}
	}
	all["init"], all["bin/busybox"] = guest, box
	modules, err := filepath.Glob(filepath.Join(k.dir, "*.ko"))
	if err != nil {
		return err
	}
	for _, m := range modules {
		all[modulePath(m)] = m
	}
	for inside, from := range all {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		a.add(inside, 0o755, data)
	}
	setup := wire.Setup{Greeting: greeting}
	for _, name := range network() {
		files, err := k.modules(name)
		if err != nil {
			return err
		}
		for _, f := range files {
			if inside := modulePath(f); !slices.Contains(setup.Modules, inside) {
				setup.Modules = append(setup.Modules, inside)
			}
		}
	}
	text, err := json.Marshal(setup)
	if err != nil {
		return err
	}
	a.add(wire.SetupFile, 0o644, text)
	a.add("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"))
	a.add("etc/group", 0o644, []byte("root:x:0:\nvideo:x:44:\nuser:x:1000:\n"))
	return os.WriteFile(disk, a.bytes(), 0o600)
}

// modulePath is where a module's file is in the machine.
func modulePath(file string) string { return "/lib/" + filepath.Base(file) }
