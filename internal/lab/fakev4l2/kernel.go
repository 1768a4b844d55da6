package fakev4l2

import (
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Kernel is a uapi.Kernel with the devices that were added.
type Kernel struct {
	start time.Time // constant

	mu       sync.Mutex // guards everything below, and the nodes
	nodes    map[string]*Node
	files    map[int]*file
	next     int // the next descriptor
	mappings map[*byte]*buffer
	waiters  int
}

// uptime is what the monotonic clock says when the kernel is made: machines that have just
// been switched on hide mistakes.
const uptime = 1000 * time.Second

// firstFD is the first descriptor; no real one is that high by accident.
const firstFD = 10_000

// New returns a kernel without devices. Inside a synctest bubble its clock is the bubble's.
func New() *Kernel {
	return &Kernel{
		start: time.Now(), next: firstFD,
		nodes: map[string]*Node{}, files: map[int]*file{}, mappings: map[*byte]*buffer{},
	}
}

// Add plugs a new device in under a path ("/dev/video0") that is free.
func (k *Kernel) Add(path string, d Device) *Node {
	n := &Node{kernel: k, device: d.withDefaults(), failing: map[uint32]error{}, changed: make(chan struct{})}
	k.PlugAs(n, path)
	return n
}

// Plug plugs a device in again under the path it had, with the settings a device has when
// it is switched on. Descriptors of before stay dead.
func (k *Kernel) Plug(n *Node) { k.PlugAs(n, n.Path()) }

// PlugAs plugs a device in again under another path.
func (k *Kernel) PlugAs(n *Node, path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.nodes[path] != nil || n.plugged {
		panic("fakev4l2: " + path + " is plugged in already")
	}
	n.path, n.plugged = path, true
	n.reset()
	k.nodes[path] = n
	n.announce()
}

// Paths lists the paths of the devices that are plugged in, sorted as text.
func (k *Kernel) Paths() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var paths []string
	for p := range k.nodes {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// OpenDescriptors counts the descriptors that are open.
func (k *Kernel) OpenDescriptors() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.files)
}

// Mappings counts the mappings that were not taken back.
func (k *Kernel) Mappings() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	count := 0
	for _, b := range k.mappings {
		count += b.mapped
	}
	return count
}

// Waiters counts the waiters that are not closed.
func (k *Kernel) Waiters() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.waiters
}

// Leaks counts descriptors, mappings and waiters together: 0 once all is given back.
func (k *Kernel) Leaks() int { return k.OpenDescriptors() + k.Mappings() + k.Waiters() }

// Monotonic implements uapi.Kernel. It begins at 1,000 s.
func (k *Kernel) Monotonic() time.Duration { return uptime + time.Since(k.start) }

// Open implements uapi.Kernel.
func (k *Kernel) Open(path string) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.nodes[path]
	switch {
	case n == nil:
		return -1, syscall.ENOENT
	case n.failOpen != nil:
		return -1, n.failOpen
	}
	k.next++
	k.files[k.next] = &file{node: n, plugging: n.pluggings}
	return k.next, nil
}

// Close implements uapi.Kernel: what the descriptor streams ends.
func (k *Kernel) Close(fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.files[fd]
	if f == nil {
		return syscall.EBADF
	}
	delete(k.files, fd)
	if f.alive() && f.node.queue.owner == f {
		f.node.queue.release()
		f.node.announce()
	}
	return nil
}

// Ioctl implements uapi.Kernel.
func (k *Kernel) Ioctl(fd int, request uint32, arg unsafe.Pointer) error {
	k.mu.Lock()
	f := k.files[fd]
	if f == nil {
		k.mu.Unlock()
		return syscall.EBADF
	}
	err := f.ioctl(request, arg)
	intercept, onSet, sets := f.node.intercept, f.node.device.OnSet, f.sets
	f.sets = nil
	k.mu.Unlock()

	for _, s := range sets {
		if onSet != nil {
			onSet(s)
		}
	}
	if intercept != nil {
		err = intercept(request, arg, err)
	}
	return err
}

// Mmap implements uapi.Kernel.
func (k *Kernel) Mmap(fd int, offset int64, length int) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.files[fd]
	switch {
	case f == nil:
		return nil, syscall.EBADF
	case !f.alive():
		return nil, syscall.ENODEV
	}
	for _, b := range f.node.queue.buffers {
		if int64(b.offset) != offset || length <= 0 || length > len(b.memory) {
			continue
		}
		b.mapped++
		k.mappings[&b.memory[0]] = b
		return b.memory[:length:length], nil
	}
	return nil, syscall.EINVAL
}

// Munmap implements uapi.Kernel. When a buffer is mapped no more its memory is overwritten,
// so that a test notices who reads it all the same.
func (k *Kernel) Munmap(m []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(m) == 0 {
		return syscall.EINVAL
	}
	b := k.mappings[&m[0]]
	if b == nil {
		return syscall.EINVAL
	}
	if b.mapped--; b.mapped == 0 {
		delete(k.mappings, &m[0])
		for i := range b.memory {
			b.memory[i] = unmapped
		}
	}
	return nil
}

// unmapped is what memory reads as after Munmap.
const unmapped = 0xdb

// NewWaiter implements uapi.Kernel.
func (k *Kernel) NewWaiter(fd int) (uapi.Waiter, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.files[fd]
	if f == nil {
		return nil, syscall.EBADF
	}
	k.waiters++
	return &waiter{kernel: k, file: f, wake: make(chan struct{}, 1)}, nil
}
