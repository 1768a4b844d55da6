package uapi

import (
	"time"
	"unsafe"
)

// Kernel is the system calls a Device makes; Linux is the real one. Its methods may be
// called from any goroutine.
type Kernel interface {
	// Open opens a device for reading and writing, non-blocking and close-on-exec.
	// Errors are a syscall.Errno.
	Open(path string) (fd int, err error)
	// Close closes what Open returned.
	Close(fd int) error
	// Ioctl makes one request; arg points to the request's structure of package abi. A
	// call that a signal interrupted is made again. Errors are a syscall.Errno.
	Ioctl(fd int, request uint32, arg unsafe.Pointer) error
	// Mmap maps length bytes of a device's buffer, shared, for reading and writing.
	Mmap(fd int, offset int64, length int) ([]byte, error)
	// Munmap takes back exactly what Mmap returned.
	Munmap(b []byte) error
	// NewWaiter returns a Waiter for an open device. It must be closed before fd is.
	NewWaiter(fd int) (Waiter, error)
	// Monotonic is the time on CLOCK_MONOTONIC, which frames are stamped with.
	Monotonic() time.Duration
}
