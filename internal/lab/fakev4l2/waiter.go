package fakev4l2

import (
	"os"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// waiter is uapi.Waiter by channels and a timer, so that virtual time goes on while it waits.
type waiter struct {
	kernel *Kernel       // constant
	file   *file         // constant
	wake   chan struct{} // holds one

	closed bool // guarded by the kernel's mutex
}

// Wait implements uapi.Waiter.
func (w *waiter) Wait(timeout time.Duration) (uapi.Event, error) {
	timer := time.NewTimer(max(timeout, 0))
	defer timer.Stop()
	for {
		select {
		case <-w.wake:
			return uapi.Woken, nil
		default:
		}
		event, changed, err := w.poll()
		if event != uapi.TimedOut || err != nil {
			return event, err
		}
		select {
		case <-w.wake:
			return uapi.Woken, nil
		case <-changed:
			continue
		case <-timer.C:
			return uapi.TimedOut, nil
		}
	}
}

// poll says what poll(2) would, and returns the channel that is closed when that may have
// changed.
func (w *waiter) poll() (uapi.Event, <-chan struct{}, error) {
	w.kernel.mu.Lock()
	defer w.kernel.mu.Unlock()
	n := w.file.node
	switch {
	case w.closed:
		return uapi.TimedOut, nil, os.ErrClosed
	case !w.file.alive() || !n.queue.streaming || n.queue.broken:
		return uapi.Failed, n.changed, nil
	case len(n.queue.done) > 0:
		return uapi.Ready, n.changed, nil
	}
	return uapi.TimedOut, n.changed, nil
}

// Wake implements uapi.Waiter.
func (w *waiter) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Close implements uapi.Waiter.
func (w *waiter) Close() error {
	w.kernel.mu.Lock()
	defer w.kernel.mu.Unlock()
	if !w.closed {
		w.closed = true
		w.kernel.waiters--
	}
	return nil
}
