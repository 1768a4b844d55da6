package uapi

import "time"

// Waiter waits for one device.
type Waiter interface {
	// Wait blocks until the device has a frame or an error, Wake is called, or the
	// timeout (at most 0: do not block) is over. One goroutine at a time may wait.
	Wait(timeout time.Duration) (Event, error)
	// Wake makes Wait return Woken: the one that waits, else the next. Several calls
	// before that are one. Any goroutine may call it at any time; after Close it does
	// nothing.
	Wake()
	// Close frees what the waiter holds. Nobody may be waiting; a second call does nothing.
	Close() error
}
