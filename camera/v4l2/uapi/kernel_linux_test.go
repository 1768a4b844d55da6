package uapi_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// deadline is far beyond what anything here takes.
const deadline = 20 * time.Second

// pipe is a device to wait for: it is ready when something was written into it.
func pipe(t *testing.T) (path string, fd int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := uapi.Linux().Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return path, fd
}

func TestLinux_OpenSaysWhy(t *testing.T) {
	k := uapi.Linux()
	if fd, err := k.Open(filepath.Join(t.TempDir(), "video0")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%d, %v", fd, err)
	}
	path, _ := pipe(t)
	d, err := uapi.Open(k, path)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := d.Capability(); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("a pipe is %v, %v", c, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	d.Wake() // no descriptor of somebody else's is written to
}

func TestLinux_DescriptorsAreNotInherited(t *testing.T) {
	_, fd := pipe(t)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the device: %#x, %v", flags, err)
	}
	status, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || status&unix.O_NONBLOCK == 0 || status&unix.O_RDWR == 0 {
		t.Errorf("the device's flags: %#x, %v", status, err)
	}
}

// A request reaches the kernel with its argument, and the answer comes back.
func TestLinux_Ioctl(t *testing.T) {
	_, fd := pipe(t)
	if _, err := unix.Write(fd, []byte("four")); err != nil {
		t.Fatal(err)
	}
	var n int32
	if err := uapi.Linux().Ioctl(fd, unix.TIOCINQ, unsafe.Pointer(&n)); err != nil || n != 4 {
		t.Errorf("%d bytes to read, %v", n, err)
	}
	if err := uapi.Linux().Ioctl(fd, abi.DQBuf, unsafe.Pointer(&abi.Buffer{})); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("dequeued from a pipe: %v", err)
	}
}

func TestLinux_MmapIsShared(t *testing.T) {
	name := filepath.Join(t.TempDir(), "memory")
	page := os.Getpagesize()
	if err := os.WriteFile(name, make([]byte, 2*page), 0o600); err != nil {
		t.Fatal(err)
	}
	k := uapi.Linux()
	fd, err := k.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(fd)
	b, err := k.Mmap(fd, int64(page), page)
	if err != nil || len(b) != page {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	b[1] = 7
	if err := k.Munmap(b); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil || data[page+1] != 7 {
		t.Errorf("the file has %d, %v", data[page+1], err)
	}
}

func TestLinux_Wait(t *testing.T) {
	k := uapi.Linux()
	_, fd := pipe(t)
	w, err := k.NewWaiter(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	wait := func(what string, timeout time.Duration, want uapi.Event) {
		t.Helper()
		before := time.Now()
		e, err := w.Wait(timeout)
		took := time.Since(before)
		if e != want || err != nil || want == uapi.TimedOut && took < timeout || took > deadline {
			t.Errorf("%s: %v, %v after %v; want %v", what, e, err, took, want)
		}
	}
	wait("nothing", 0, uapi.TimedOut)
	wait("a negative time", -time.Second, uapi.TimedOut)
	wait("nothing, for a while", 1500*time.Microsecond, uapi.TimedOut)
	for range 3 {
		w.Wake()
	}
	wait("woken before", deadline, uapi.Woken)
	wait("once only", time.Millisecond, uapi.TimedOut)
	go func() { _, _ = unix.Write(fd, []byte("x")) }()
	wait("a frame", math.MaxInt64, uapi.Ready)
	w.Wake()
	wait("woken with a frame", deadline, uapi.Woken)
	wait("the frame is still there", deadline, uapi.Ready)
}

// A device that is gone hangs up.
func TestLinux_WaitFails(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	w, err := uapi.Linux().NewWaiter(pair[0])
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	go unix.Close(pair[1])
	if e, err := w.Wait(deadline); e != uapi.Failed || err != nil {
		t.Errorf("%v, %v", e, err)
	}
}

// Wake may come at any time, from anywhere, also while and after the waiter is closed: it
// never writes to a descriptor that has become somebody else's.
func TestLinux_WakeRacesWithClose(t *testing.T) {
	_, fd := pipe(t)
	for range 50 {
		w, err := uapi.Linux().NewWaiter(fd)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					w.Wake()
				}
			})
		}
		if e, err := w.Wait(deadline); e != uapi.Woken || err != nil {
			t.Errorf("%v, %v", e, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
		all.Wait()
		if _, err := w.Wait(0); err == nil {
			t.Error("a closed waiter waits")
		}
	}
}

func TestLinux_MonotonicRises(t *testing.T) {
	k := uapi.Linux()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		t.Fatal(err)
	}
	a, b := k.Monotonic(), k.Monotonic()
	if a <= 0 || b < a || a-time.Duration(ts.Nano()) > deadline || a < time.Duration(ts.Nano()) {
		t.Errorf("%v after %v, the kernel says %v", b, a, time.Duration(ts.Nano()))
	}
}
