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
	limit  *limiter
	secure func(net.Conn) net.Conn
}

// newLimitedListener takes at most n connections at a time from l. tls puts TLS
// on them; nil for none.
func newLimitedListener(l net.Listener, n int, tls securer) *limitedListener {
	limited := &limitedListener{Listener: l, limit: newLimiter(n), secure: func(c net.Conn) net.Conn { return c }}
	if tls != nil {
		limited.secure = tls.Secure
	}
	return limited
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.limit.take() {
			return l.secure(&limitedConn{Conn: c, give: sync.OnceFunc(l.limit.give)}), nil
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
