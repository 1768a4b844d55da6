package uapi

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Linux is the kernel's video devices.
func Linux() Kernel { return linux{} }

// linux is Kernel by system calls.
type linux struct{}

// Open implements Kernel.
func (linux) Open(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// Close implements Kernel. Linux closes the descriptor even where a signal interrupts it.
func (linux) Close(fd int) error { return unix.Close(fd) }

// Ioctl implements Kernel.
func (linux) Ioctl(fd int, request uint32, arg unsafe.Pointer) error {
	for {
		// The conversion has to stand in the call, so that arg stays where it is meanwhile.
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// Mmap implements Kernel.
func (linux) Mmap(fd int, offset int64, length int) ([]byte, error) {
	return unix.Mmap(fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// Munmap implements Kernel.
func (linux) Munmap(b []byte) error { return unix.Munmap(b) }

// Monotonic implements Kernel.
func (linux) Monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // Linux always has this clock
	}
	return time.Duration(ts.Nano())
}
