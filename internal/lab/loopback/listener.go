package loopback

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// backlog is how many connections may wait to be accepted.
const backlog = 128

// Listener is a net.Listener that is reached by its DialContext alone.
type Listener struct {
	// constant after construction
	addr    *net.TCPAddr
	waiting chan net.Conn
	done    chan struct{} // closed by Close

	clients atomic.Int64 // so far
	closing sync.Once
}

// Listen makes a listener at 127.0.0.1:port.
func Listen(port int) *Listener {
	return &Listener{addr: address(port), waiting: make(chan net.Conn, backlog), done: make(chan struct{})}
}

func address(port int) *net.TCPAddr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// DialContext connects to the listener, whatever the address is: for an
// http.Transport.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: l.addr, Err: syscall.ECONNREFUSED}
	select {
	case <-l.done:
		return nil, refused
	default:
	}
	client := address(1024 + int(l.clients.Add(1)))
	there, back := newPipe(), newPipe()
	select {
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: l.addr, Err: ctx.Err()}
	case l.waiting <- &Conn{in: there, out: back, local: l.addr, remote: client}:
		return &Conn{in: back, out: there, local: client, remote: l.addr}, nil
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	case c := <-l.waiting:
		return c, nil
	}
}

// Close implements net.Listener. What was accepted stays open. Idempotent.
func (l *Listener) Close() error {
	l.closing.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.addr }
