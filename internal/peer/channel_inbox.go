package peer

import (
	"net"
	"os"
	"sync"

	"github.com/pion/transport/v4/deadline"
)

// inbox is the bounded buffer behind the message-oriented reads of a data
// channel. One goroutine fills it; any number read, one at a time.
type inbox struct {
	// Constant after newInbox.
	capacity int           // bytes held at most
	turn     chan struct{} // holds one token: the right to read
	ready    chan struct{} // capacity 1: something to read, or the end
	room     chan struct{} // capacity 1: bytes were taken
	deadline *deadline.Deadline

	mu    sync.Mutex
	buf   []byte // unread bytes are buf[off:]
	off   int
	taken uint64 // bytes handed out so far
	err   error  // what reads return once buf is empty
}

func newInbox(capacity int) *inbox {
	b := &inbox{
		capacity: capacity,
		turn:     make(chan struct{}, 1),
		ready:    make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		deadline: deadline.New(),
	}
	b.turn <- struct{}{}
	return b
}

// offer appends p and reports whether it fitted.
func (b *inbox) offer(p []byte) bool {
	b.mu.Lock()
	fits := len(b.buf)-b.off+len(p) <= b.capacity
	if fits && b.err == nil {
		if b.off > 0 && len(b.buf)+len(p) > cap(b.buf) {
			b.buf = b.buf[:copy(b.buf, b.buf[b.off:])]
			b.off = 0
		}
		b.buf = append(b.buf, p...)
	}
	b.mu.Unlock()
	if fits {
		notify(b.ready)
	}
	return fits
}

// put appends p, waiting for room until stop is closed.
func (b *inbox) put(p []byte, stop ...<-chan struct{}) {
	for !b.offer(p) {
		select {
		case <-b.room:
		case <-stop[0]:
			return
		case <-stop[1]:
			return
		}
	}
}

// end makes reads return err once everything that arrived before is read. Only
// the first call counts.
func (b *inbox) end(err error) {
	b.mu.Lock()
	if b.err == nil {
		b.err = err
	}
	b.mu.Unlock()
	notify(b.ready)
}

// drop forgets what is unread.
func (b *inbox) drop() {
	b.mu.Lock()
	b.buf, b.off = nil, 0
	b.mu.Unlock()
	notify(b.room)
}

// read is io.Reader.Read under the inbox's deadline, ended early by closed.
func (b *inbox) read(p []byte, closed <-chan struct{}) (int, error) {
	if err := b.acquire(closed); err != nil {
		return 0, err
	}
	defer func() { b.turn <- struct{}{} }()
	for {
		if isClosed(closed) {
			return 0, net.ErrClosed
		}
		if b.deadline.Err() != nil {
			return 0, os.ErrDeadlineExceeded
		}
		n, err := b.take(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-b.ready:
		case <-b.deadline.Done():
		case <-closed:
		}
	}
}

func (b *inbox) acquire(closed <-chan struct{}) error {
	select {
	case <-b.turn:
		return nil
	case <-b.deadline.Done():
		return os.ErrDeadlineExceeded
	case <-closed:
		return net.ErrClosed
	}
}

// take copies unread bytes into p.
func (b *inbox) take(p []byte) (int, error) {
	b.mu.Lock()
	n := copy(p, b.buf[b.off:])
	b.off += n
	b.taken += uint64(n) // n is never negative
	var err error
	if b.off == len(b.buf) {
		b.off, b.buf = 0, b.buf[:0]
		if cap(b.buf) > maxChunk {
			b.buf = nil // an idle connection holds no burst's memory
		}
		if n == 0 {
			err = b.err
		}
	}
	b.mu.Unlock()
	if n > 0 {
		notify(b.room)
	}
	return n, err
}

// count returns how many bytes were read so far.
func (b *inbox) count() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken
}

// notify puts a token into a channel of capacity 1.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
