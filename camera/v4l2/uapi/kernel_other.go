//go:build !linux

package uapi

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Linux is the kernel's video devices. On this operating system there are none: every
// call fails with errors.ErrUnsupported.
func Linux() Kernel { return noKernel{} }

type noKernel struct{}

func (noKernel) err() error {
	return fmt.Errorf("video devices by V4L2 exist on Linux only, not on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func (k noKernel) Open(string) (int, error)                { return -1, k.err() }
func (k noKernel) Close(int) error                         { return k.err() }
func (k noKernel) Ioctl(int, uint32, unsafe.Pointer) error { return k.err() }
func (k noKernel) Mmap(int, int64, int) ([]byte, error)    { return nil, k.err() }
func (k noKernel) Munmap([]byte) error                     { return k.err() }
func (k noKernel) NewWaiter(int) (Waiter, error)           { return nil, k.err() }
func (noKernel) Monotonic() time.Duration                  { return 0 }
