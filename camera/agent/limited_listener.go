package agent

import (
	"net"
	"net/netip"
	"sync"

	conngate "github.com/sightline-cam/sightline/internal/gate"
)

// securer is a listener that leaves it to its user to put TLS on a connection, on
// top of what the user puts around it: net/http knows TLS by the type *tls.Conn.
type securer interface {
	Secure(c net.Conn) net.Conn
}

// limitedListener closes connections at once while as many are open as may be, in
// all or from one address: one machine that leaves requests unfinished must not
// keep everybody else from the page.
type limitedListener struct {
	net.Listener
	// Constant after construction.
	limit  *limiter
	each   int // from one address, loopback aside: behind a reverse proxy that is everybody
	secure func(net.Conn) net.Conn

	mu   sync.Mutex // guards what follows
	open map[netip.Prefix]int
}

// newLimitedListener takes at most n connections at a time from l. tls puts TLS
// on them; nil for none.
func newLimitedListener(l net.Listener, n int, tls securer) *limitedListener {
	limited := &limitedListener{Listener: l, limit: newLimiter(n), each: max(n/4, 1), open: make(map[netip.Prefix]int), secure: func(c net.Conn) net.Conn { return c }}
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
		if give, ok := l.take(c); ok {
			return l.secure(&limitedConn{Conn: c, give: sync.OnceFunc(give)}), nil
		}
		_ = c.Close()
	}
}

// take takes a place for a connection.
func (l *limitedListener) take(c net.Conn) (give func(), ok bool) {
	if !l.limit.take() {
		return nil, false
	}
	addr, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || addr.Addr().Unmap().IsLoopback() {
		return l.limit.give, true
	}
	from := conngate.Prefix(addr.Addr())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= l.each {
		l.limit.give()
		return nil, false
	}
	l.open[from]++
	return func() { l.leave(from) }, true
}

// leave gives the place of a connection back.
func (l *limitedListener) leave(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
	l.limit.give()
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
