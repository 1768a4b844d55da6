package agent

import (
	"net"
	"sync"
)

// limitedListener closes connections at once while as many are open as may be.
type limitedListener struct {
	net.Listener
	limit *limiter
}

func newLimitedListener(l net.Listener, n int) *limitedListener {
	return &limitedListener{Listener: l, limit: newLimiter(n)}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.limit.take() {
			return &limitedConn{Conn: c, give: sync.OnceFunc(l.limit.give)}, nil
		}
		_ = c.Close()
	}
}

// limitedConn gives its place back when closed.
type limitedConn struct {
	net.Conn
	give func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.give()
	return c.Conn.Close()
}
