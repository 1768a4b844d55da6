package loopback

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// capacity is what waits in one direction at most, in bytes.
const capacity = 64 << 10

// pipe is one direction of a connection.
type pipe struct {
	mu      sync.Mutex
	changed *sync.Cond // over mu

	// guarded by mu
	waiting          []byte
	ended            bool // by the writer: what waits is still read
	abandoned        bool // by the reader
	reading, writing deadline
}

// deadline is when reading, or writing, is no longer waited for. Guarded by the
// pipe's mu.
type deadline struct {
	timer  *time.Timer
	passed bool
}

func newPipe() *pipe {
	p := &pipe{}
	p.changed = sync.NewCond(&p.mu)
	return p
}

func (d *deadline) set(p *pipe, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = !at.IsZero() && !at.After(time.Now())
	if !at.IsZero() && !d.passed {
		var own *time.Timer
		own = time.AfterFunc(time.Until(at), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if d.timer == own {
				d.passed = true
				p.changed.Broadcast()
			}
		})
		d.timer = own
	}
	p.changed.Broadcast()
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.abandoned:
			return 0, net.ErrClosed
		case p.reading.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p.waiting) > 0 || len(b) == 0:
			n := copy(b, p.waiting)
			p.waiting = p.waiting[n:]
			p.changed.Broadcast()
			return n, nil
		case p.ended:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *pipe) write(b []byte) (written int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.ended:
			return written, net.ErrClosed
		case p.abandoned:
			return written, syscall.EPIPE
		case p.writing.passed:
			return written, os.ErrDeadlineExceeded
		}
		n := min(len(b)-written, capacity-len(p.waiting))
		if p.waiting = append(p.waiting, b[written:written+n]...); n > 0 {
			p.changed.Broadcast()
		}
		if written += n; written == len(b) {
			return written, nil
		}
		p.changed.Wait()
	}
}

func (p *pipe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.stopLocked(&p.writing)
}

func (p *pipe) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abandoned, p.waiting = true, nil
	p.stopLocked(&p.reading)
}

// stopLocked wakes whoever waits; nobody waits for d any more.
func (p *pipe) stopLocked(d *deadline) {
	if d.timer != nil {
		d.timer.Stop()
	}
	p.changed.Broadcast()
}
