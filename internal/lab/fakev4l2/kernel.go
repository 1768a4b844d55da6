package fakev4l2

import (
	"errors"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Kernel is a uapi.Kernel with the nodes that were added.
type Kernel struct{ start time.Time }

var errNotYet = errors.New("not yet")

// New returns a kernel without devices.
func New() *Kernel { return &Kernel{start: time.Now()} }

// Add plugs a new device in under a path.
func (k *Kernel) Add(path string, d Device) *Node { return &Node{kernel: k, device: d} }

// Plug plugs a device in again, under the path it had.
func (k *Kernel) Plug(n *Node) {}

// PlugAs plugs a device in again, under another path.
func (k *Kernel) PlugAs(n *Node, path string) {}

// Paths lists the paths of the devices that are plugged in, sorted.
func (k *Kernel) Paths() []string { return nil }

// OpenDescriptors counts the descriptors that are open.
func (k *Kernel) OpenDescriptors() int { return 0 }

// Mappings counts the mappings that were not taken back.
func (k *Kernel) Mappings() int { return 0 }

// Waiters counts the waiters that are not closed.
func (k *Kernel) Waiters() int { return 0 }

// Open implements uapi.Kernel.
func (k *Kernel) Open(path string) (int, error) { return -1, errNotYet }

// Close implements uapi.Kernel.
func (k *Kernel) Close(fd int) error { return errNotYet }

// Ioctl implements uapi.Kernel.
func (k *Kernel) Ioctl(fd int, request uint32, arg unsafe.Pointer) error { return errNotYet }

// Mmap implements uapi.Kernel.
func (k *Kernel) Mmap(fd int, offset int64, length int) ([]byte, error) { return nil, errNotYet }

// Munmap implements uapi.Kernel.
func (k *Kernel) Munmap(b []byte) error { return errNotYet }

// NewWaiter implements uapi.Kernel.
func (k *Kernel) NewWaiter(fd int) (uapi.Waiter, error) { return nil, errNotYet }

// Monotonic implements uapi.Kernel.
func (k *Kernel) Monotonic() time.Duration { return time.Since(k.start) }
