package gate

import (
	"container/list"
	"net"
	"net/netip"
)

// conn is a connection that is counted while it waits.
type conn struct {
	net.Conn
	// constant after construction
	gate    *Listener
	address netip.Prefix
	limit   int // for its address

	// guarded by Listener.mu
	inAll, inOwn *list.Element // nil while it does not wait
	closed       bool
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.gate.mu.Lock()
	c.closed = true
	c.gate.removeLocked(c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// reset closes the connection without the farewell that would keep memory for
// it in the kernel.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then it is a farewell
	}
	_ = c.Close() // the client may have closed it
}

// unwrap finds the connection under TLS.
func unwrap(raw net.Conn) *conn {
	for {
		switch c := raw.(type) {
		case *conn:
			return c
		case interface{ NetConn() net.Conn }:
			raw = c.NetConn()
		default:
			return nil
		}
	}
}
