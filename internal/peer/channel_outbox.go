package peer

import (
	"net"
	"os"
	"sync"

	"github.com/pion/transport/v4/deadline"
)

// outbox is the bounded buffer between Write and the goroutine that sends
// messages. Write blocks while it is full, which is how back-pressure reaches
// the writer. Any number write, one at a time; one goroutine empties it.
type outbox struct {
	// Constant after newOutbox.
	turn     chan struct{} // holds one token: the right to write
	space    chan struct{} // capacity 1: bytes left, or the end
	work     chan struct{} // capacity 1: the sender has something to do
	deadline *deadline.Deadline

	mu      sync.Mutex
	pending []byte // at most maxChunk bytes
	sent    uint64 // bytes taken out so far
	window  uint64 // bytes that may be taken out in all
	err     error  // what writes return from now on
}

func newOutbox(window uint64) *outbox {
	b := &outbox{
		turn:     make(chan struct{}, 1),
		space:    make(chan struct{}, 1),
		work:     make(chan struct{}, 1),
		deadline: deadline.New(),
		window:   window,
	}
	b.turn <- struct{}{}
	return b
}

// write is io.Writer.Write under the outbox's deadline, ended early by closed.
// What it counts as written is on its way, as with a socket.
func (b *outbox) write(p []byte, closed <-chan struct{}) (int, error) {
	select {
	case <-b.turn:
	case <-b.deadline.Done():
		return 0, os.ErrDeadlineExceeded
	case <-closed:
		return 0, net.ErrClosed
	}
	defer func() { b.turn <- struct{}{} }()
	written := 0
	for {
		if isClosed(closed) {
			return written, net.ErrClosed
		}
		if b.deadline.Err() != nil {
			return written, os.ErrDeadlineExceeded
		}
		n, err := b.add(p[written:])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
		select {
		case <-b.space:
		case <-b.deadline.Done():
		case <-closed:
		}
	}
}

// add appends as much of p as there is room for.
func (b *outbox) add(p []byte) (int, error) {
	b.mu.Lock()
	if b.err != nil {
		defer b.mu.Unlock()
		return 0, b.err
	}
	n := min(len(p), maxChunk-len(b.pending))
	b.pending = append(b.pending, p[:n]...)
	b.mu.Unlock()
	if n > 0 {
		notify(b.work)
	}
	return n, nil
}

// next moves what may be sent now into buf[:0] and returns it; left says that
// there is more, held back by the window.
func (b *outbox) next(buf []byte) (chunk []byte, left bool) {
	b.mu.Lock()
	n := len(b.pending)
	if allowed := b.window - b.sent; uint64(n) > allowed {
		n = int(allowed) // less than len(pending)
	}
	chunk = append(buf[:0], b.pending[:n]...)
	b.pending = b.pending[:copy(b.pending, b.pending[n:])]
	b.sent += uint64(n) // n is never negative
	left = len(b.pending) > 0
	b.mu.Unlock()
	if n > 0 {
		notify(b.space)
	}
	return chunk, left
}

// allow raises the number of bytes that may be sent in all.
func (b *outbox) allow(window uint64) {
	b.mu.Lock()
	b.window = max(b.window, window)
	b.mu.Unlock()
	notify(b.work)
}

// end makes writes fail with err and forgets what is not sent yet. Only the
// first error counts.
func (b *outbox) end(err error) {
	b.mu.Lock()
	if b.err == nil {
		b.err = err
	}
	b.pending = nil
	b.mu.Unlock()
	notify(b.space)
	notify(b.work)
}
