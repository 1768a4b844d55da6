package peer

import (
	"net"
	"net/netip"
	"sync"
)

// tcpPerAddress is how many connections one address may have.
const tcpPerAddress = 16

// tcpLimit is a listener that closes at once what is too much.
type tcpLimit struct {
	net.Listener
	limit int

	mu        sync.Mutex
	open      int
	addresses map[netip.Addr]int
}

func newTCPLimit(l net.Listener, limit int) *tcpLimit {
	return &tcpLimit{Listener: l, limit: limit, addresses: make(map[netip.Addr]int)}
}

// Accept implements net.Listener.
func (l *tcpLimit) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if l.take(at.Addr()) {
			return &limitedConn{Conn: c, give: func() { l.give(at.Addr()) }}, nil
		}
		_ = c.Close()
	}
}

func (l *tcpLimit) take(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.limit || l.addresses[a] >= tcpPerAddress {
		return false
	}
	l.open++
	l.addresses[a]++
	return true
}

func (l *tcpLimit) give(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.addresses[a]--; l.addresses[a] == 0 {
		delete(l.addresses, a)
	}
}

type limitedConn struct {
	net.Conn
	once sync.Once
	give func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.once.Do(c.give)
	return c.Conn.Close()
}
