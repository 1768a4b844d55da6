package fakev4l2

import (
	"context"
	"slices"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Node is a device that was added to a kernel. Its methods may be called from any goroutine.
type Node struct {
	// Constant.
	kernel *Kernel
	device Device

	// Guarded by the kernel's mutex.
	path      string
	plugged   bool
	pluggings int // counts them: descriptors of an earlier one are dead
	queue     *queue
	format    uapi.Pix
	interval  uapi.Fraction
	values    map[uint32]int64 // of the controls
	sets      []Set
	busy      bool
	failOpen  error
	failing   map[uint32]error
	intercept func(request uint32, arg unsafe.Pointer, err error) error
	changed   chan struct{} // closed and replaced by announce
}

// reset gives the device the settings it has when it is switched on.
func (n *Node) reset() {
	n.pluggings++
	n.queue = &queue{}
	n.values = map[uint32]int64{}
	for _, c := range n.device.Controls {
		n.values[c.ID] = c.Default
	}
	n.interval = uapi.Fraction{}
	if len(n.device.Formats) > 0 {
		n.setFormat(uapi.Pix{FourCC: n.device.Formats[0].FourCC})
	}
}

// announce wakes who waits for the node.
func (n *Node) announce() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// locked runs f with the kernel locked, then wakes who waits.
func (n *Node) locked(f func()) {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	f()
	n.announce()
}

// Path is where the node is, or was before it was unplugged.
func (n *Node) Path() string {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return n.path
}

// Unplug takes the device away: its path is gone, and all that is open fails with ENODEV.
// What is mapped stays readable until it is unmapped.
func (n *Node) Unplug() {
	n.locked(func() {
		if n.plugged {
			n.plugged = false
			delete(n.kernel.nodes, n.path)
			n.queue = &queue{}
		}
	})
}

// Break is a fatal error of the driver while it streams (vb2_queue_error): waiting fails,
// and buffers cannot be queued or dequeued (EIO) until streaming is stopped.
func (n *Node) Break() { n.locked(func() { n.queue.broken = n.queue.streaming }) }

// SetBusy makes another program stream from the device: who opens it may look, but
// VIDIOC_S_FMT, S_PARM and REQBUFS fail with EBUSY.
func (n *Node) SetBusy(busy bool) { n.locked(func() { n.busy = busy }) }

// FailOpen makes opening fail with an errno (syscall.EACCES, EBUSY); nil: no longer.
func (n *Node) FailOpen(err error) { n.locked(func() { n.failOpen = err }) }

// Fail makes a request (abi.StreamOn) fail with an errno and without effect; nil: no longer.
func (n *Node) Fail(request uint32, err error) {
	n.locked(func() {
		n.failing[request] = err
		if err == nil {
			delete(n.failing, request)
		}
	})
}

// Intercept calls f after every request, on the goroutine that made it. f may change the
// structure that arg points to, and returns the request's error. nil: no longer.
func (n *Node) Intercept(f func(request uint32, arg unsafe.Pointer, err error) error) {
	n.locked(func() { n.intercept = f })
}

// Streaming says whether somebody streams.
func (n *Node) Streaming() bool {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return n.queue.streaming
}

// WaitStreaming waits until somebody streams; its error is ctx's.
func (n *Node) WaitStreaming(ctx context.Context) error {
	return n.wait(ctx, func() bool { return n.queue.streaming })
}

// WaitStopped waits until nobody streams; its error is ctx's.
func (n *Node) WaitStopped(ctx context.Context) error {
	return n.wait(ctx, func() bool { return !n.queue.streaming })
}

// WaitQueued waits until the driver has at least count buffers to fill; its error is ctx's.
func (n *Node) WaitQueued(ctx context.Context, count int) error {
	return n.wait(ctx, func() bool { return n.queue.streaming && len(n.queue.waiting) >= count })
}

// wait waits until a condition, which is looked at with the kernel locked, holds.
func (n *Node) wait(ctx context.Context, holds func() bool) error {
	for {
		n.kernel.mu.Lock()
		ok, changed := holds(), n.changed
		n.kernel.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Queued counts the buffers that the driver may fill.
func (n *Node) Queued() int {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return len(n.queue.waiting)
}

// Undelivered counts the frames that are filled and not dequeued.
func (n *Node) Undelivered() int {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return len(n.queue.done)
}

// Format is the format that is set.
func (n *Node) Format() uapi.Pix {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return n.format
}

// Interval is the frame interval that is set.
func (n *Node) Interval() uapi.Fraction {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return n.interval
}

// Value is a control's value.
func (n *Node) Value(id uint32) int64 {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return n.values[id]
}

// Sets lists the controls that were set, and the buttons that were pressed, in their order,
// over all pluggings.
func (n *Node) Sets() []Set {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	return slices.Clone(n.sets)
}

// Presses counts how often a control was set.
func (n *Node) Presses(id uint32) int {
	count := 0
	for _, s := range n.Sets() {
		if s.ID == id {
			count++
		}
	}
	return count
}

// Feed delivers what next returns for 0, 1, 2… at an interval until ctx is done. nil
// leaves one out.
func (n *Node) Feed(ctx context.Context, interval time.Duration, next func(i int) []byte) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if data := next(i); data != nil {
			n.Deliver(data)
		}
	}
}
