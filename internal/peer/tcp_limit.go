package peer

import (
	"net"
	"net/netip"
	"sync"

	"github.com/sightline-cam/sightline/internal/gate"
)

// tcpPerAddress is how many connections one address may have; for IPv6 one /64,
// which is what one subscriber has at least.
const tcpPerAddress = 16

// tcpLimit is a listener that closes at once what is too much.
type tcpLimit struct {
	net.Listener
	limit int

	mu        sync.Mutex
	open      int
	addresses map[netip.Prefix]int
}

func newTCPLimit(l net.Listener, limit int) *tcpLimit {
	return &tcpLimit{Listener: l, limit: limit, addresses: make(map[netip.Prefix]int)}
}

// Accept implements net.Listener.
func (l *tcpLimit) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		from := gate.Prefix(at.Addr())
		if l.take(from) {
			return &limitedConn{Conn: c, give: func() { l.give(from) }}, nil
		}
		_ = c.Close()
	}
}

func (l *tcpLimit) take(a netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.limit || l.addresses[a] >= tcpPerAddress {
		return false
	}
	l.open++
	l.addresses[a]++
	return true
}

func (l *tcpLimit) give(a netip.Prefix) {
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
