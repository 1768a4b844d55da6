package uapi

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// NewWaiter implements Kernel.
func (linux) NewWaiter(fd int) (Waiter, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &pollWaiter{device: fd, event: event}, nil
}

// pollWaiter is Waiter by poll(2) of a device and an eventfd.
type pollWaiter struct {
	device, event int // constant

	mu     sync.Mutex // nobody writes to event while it is closed
	closed bool
}

// Wait implements Waiter.
func (w *pollWaiter) Wait(timeout time.Duration) (Event, error) {
	w.mu.Lock()
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return TimedOut, os.ErrClosed
	}
	deadline := time.Now().Add(timeout)
	for {
		fds := []unix.PollFd{
			{Fd: int32(w.event), Events: unix.POLLIN},
			{Fd: int32(w.device), Events: unix.POLLIN},
		}
		_, err := unix.Poll(fds, milliseconds(timeout))
		switch {
		case err == unix.EINTR:
			// The runtime interrupts threads all the time.
		case err != nil:
			return TimedOut, fmt.Errorf("poll: %w", err)
		case fds[0].Revents != 0:
			var count [8]byte
			_, _ = unix.Read(w.event, count[:]) // back to zero; it does not block
			return Woken, nil
		case fds[1].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
			return Failed, nil
		case fds[1].Revents != 0:
			return Ready, nil
		}
		if timeout = time.Until(deadline); timeout <= 0 {
			return TimedOut, nil
		}
	}
}

// Wake implements Waiter.
func (w *pollWaiter) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(w.event, one[:]) // fails only where 2^64-2 calls are not waited for
}

// Close implements Waiter.
func (w *pollWaiter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	return unix.Close(w.event)
}

// milliseconds rounds a timeout for poll up, so that it is over when poll says so.
func milliseconds(timeout time.Duration) int {
	if timeout <= 0 {
		return 0
	}
	return int(min((timeout+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
}
