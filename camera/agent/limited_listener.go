package agent

import (
	"net"
	"sync"
)

// securer is a listener that leaves it to its user to put TLS on a connection, on
// top of what the user puts around it: net/http knows TLS by the type *tls.Conn.
type securer interface {
	Secure(c net.Conn) net.Conn
}

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
			limited := &limitedConn{Conn: c, give: sync.OnceFunc(l.limit.give)}
			if s, ok := l.Listener.(securer); ok {
				return s.Secure(limited), nil
			}
			return limited, nil
		}
		_ = c.Close()
	}
}

// limitedConn gives its place back when closed.
type limitedConn struct {
	net.Conn
	give func()
}

// NetConn returns the connection inside, for internal/gate.
func (c *limitedConn) NetConn() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.give()
	return c.Conn.Close()
}
