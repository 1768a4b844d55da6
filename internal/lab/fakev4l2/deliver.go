package fakev4l2

import (
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// Deliver gives a frame to the buffer that was queued first, as a driver does. It returns
// false where the frame is lost: no buffer is queued (the sequence counts it), or nobody
// streams or the queue is broken (it does not). What is longer than the buffer is cut off and marked as damaged.
func (n *Node) Deliver(data []byte, options ...DeliverOption) bool {
	n.kernel.mu.Lock()
	defer n.kernel.mu.Unlock()
	q := n.queue
	if !q.streaming || q.broken {
		return false
	}
	f := delivery{flags: abi.BufFlagTimestampMonotonic, time: n.kernel.Monotonic(), sequence: q.sequence}
	for _, o := range options {
		o(&f)
	}
	q.sequence = f.sequence + 1
	if len(q.waiting) == 0 {
		return false
	}
	b := q.buffers[q.waiting[0]]
	q.done, q.waiting = append(q.done, q.waiting[0]), q.waiting[1:]
	b.state, b.delivery = done, f
	b.used = uint32(copy(b.memory[min(f.dataOffset, b.length):b.length], data)) + min(f.dataOffset, b.length)
	if int(b.used) < len(data) {
		b.delivery.flags |= abi.BufFlagError
	}
	n.announce()
	return true
}

// DeliverOption changes what the driver says of a frame.
type DeliverOption func(*delivery)

// delivery is what the driver says of a frame.
type delivery struct {
	flags      uint32
	time       time.Duration
	sequence   uint32
	dataOffset uint32
	index, used,
	sec, usec *int // lies
}

// WithTime sets the time stamp; default the kernel's Monotonic at Deliver.
func WithTime(t time.Duration) DeliverOption { return func(f *delivery) { f.time = t } }

// WithTimeval sets the time stamp's seconds and microseconds, which may be nonsense.
func WithTimeval(sec, usec int) DeliverOption {
	return func(f *delivery) { f.sec, f.usec = &sec, &usec }
}

// WithFlags adds flags (abi.BufFlag…). Those of the time stamp's kind replace its kind.
func WithFlags(flags uint32) DeliverOption {
	return func(f *delivery) {
		if flags&abi.BufFlagTimestampMask != 0 {
			f.flags &^= abi.BufFlagTimestampMask
		}
		f.flags |= flags
	}
}

// WithoutTime leaves the frame without a time stamp.
func WithoutTime() DeliverOption {
	return func(f *delivery) { f.flags, f.time = f.flags&^abi.BufFlagTimestampMask, 0 }
}

// WithSequence sets the sequence number, from which the driver counts on.
func WithSequence(n uint32) DeliverOption { return func(f *delivery) { f.sequence = n } }

// WithDataOffset makes the data begin so many bytes into the buffer (multi-planar devices).
func WithDataOffset(n uint32) DeliverOption { return func(f *delivery) { f.dataOffset = n } }

// WithIndex lies about which buffer it is.
func WithIndex(index int) DeliverOption { return func(f *delivery) { f.index = &index } }

// WithBytesUsed lies about the length.
func WithBytesUsed(n int) DeliverOption { return func(f *delivery) { f.used = &n } }
