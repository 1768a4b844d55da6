package fakev4l2

import (
	"context"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Node is a device that was added to a kernel. Its methods may be called from any goroutine.
type Node struct {
	kernel *Kernel
	device Device
}

// Path is where the node is, or was before it was unplugged.
func (n *Node) Path() string { return "" }

// Deliver gives a frame to the next queued buffer, as a driver does. It returns false where
// the frame was lost: none was queued (the sequence counts it), or nobody streams (it does not).
func (n *Node) Deliver(data []byte, options ...DeliverOption) bool { return false }

// Unplug takes the device away: every call fails with ENODEV, and its path is gone.
func (n *Node) Unplug() {}

// Streaming says whether somebody streams.
func (n *Node) Streaming() bool { return false }

// WaitStreaming waits until somebody streams, or ctx is done.
func (n *Node) WaitStreaming(ctx context.Context) error { return errNotYet }

// Queued counts the buffers the driver may fill.
func (n *Node) Queued() int { return 0 }

// Format is the format that is set, and Interval the frame interval.
func (n *Node) Format() uapi.Pix { return uapi.Pix{} }

// Interval is the frame interval that is set.
func (n *Node) Interval() uapi.Fraction { return uapi.Fraction{} }

// Sets lists the controls that were set, and buttons that were pressed, in their order.
func (n *Node) Sets() []Set { return nil }

// FailOpen makes opening fail with an errno (EACCES, EBUSY), nil: no longer.
func (n *Node) FailOpen(err error) {}

// Fail makes a request (abi.StreamOn) fail with an errno, nil: no longer.
func (n *Node) Fail(request uint32, err error) {}

// Intercept sees every request after the driver has answered it; it may change the
// answer and the error.
func (n *Node) Intercept(f func(request uint32, arg unsafe.Pointer, err error) error) {}

// DeliverOption changes what the driver says of a frame.
type DeliverOption func(*delivery)

type delivery struct{}

// WithTime sets the time stamp; default the kernel's Monotonic.
func WithTime(t time.Duration) DeliverOption { return nil }

// WithFlags adds flags (abi.BufFlag…).
func WithFlags(flags uint32) DeliverOption { return nil }

// WithoutTime leaves the frame without a time stamp.
func WithoutTime() DeliverOption { return nil }

// WithIndex lies about the buffer.
func WithIndex(index uint32) DeliverOption { return nil }

// WithBytesUsed lies about the length.
func WithBytesUsed(n uint32) DeliverOption { return nil }

// WithSequence sets the sequence number, from which the driver counts on.
func WithSequence(n uint32) DeliverOption { return nil }
