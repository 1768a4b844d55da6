// Package gate keeps TCP connections that say nothing from using up a server: it
// bounds how many may wait, in total and for each address, and closes the one
// that has been silent longest to let a new one in. Whoever speaks at once, as
// every honest client does, is never the one.
//
// It is for an http.Server: give Listener.ConnState to it, and set a
// ReadHeaderTimeout, which is what ends silent connections when there is room.
package gate

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/sightline-cam/sightline/internal/check"
)

// loopbackFactor is by how much more may wait from a loopback address: behind a
// reverse proxy on the same machine that is everybody.
const loopbackFactor = 10

// Options configure a Listener. The zero value works.
type Options struct {
	// Max bounds the connections that wait, in total. Default 2,048.
	Max int
	// MaxPerAddress bounds those from one address, see Prefix; ten times as many
	// may wait from a loopback address. Default 64.
	MaxPerAddress int
	// Unlimited reports whether an address has no bound of its own: a reverse
	// proxy. Nil: none.
	Unlimited func(netip.Addr) bool
	// OnClose is called for every connection that is closed to make room. It
	// must not block. Nil is ignored.
	OnClose func()
}

// Listener is a net.Listener that counts a connection as waiting until an
// http.Server has read the header of a request, and again while it is idle
// between two requests. Safe for concurrent use.
type Listener struct {
	net.Listener
	// constant after construction
	o Options

	mu sync.Mutex
	// guarded by mu
	waiting   *list.List // of *conn, the one that is silent longest first
	addresses map[netip.Prefix]*list.List
}

// New returns a Listener over l. Its ConnState must be given to the http.Server.
func New(l net.Listener, o Options) *Listener {
	if o.Max <= 0 {
		o.Max = 2048
	}
	if o.MaxPerAddress <= 0 {
		o.MaxPerAddress = 64
	}
	if o.Unlimited == nil {
		o.Unlimited = func(netip.Addr) bool { return false }
	}
	if o.OnClose == nil {
		o.OnClose = func() {}
	}
	return &Listener{Listener: l, o: o, waiting: list.New(), addresses: map[netip.Prefix]*list.List{}}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, gate: l, limit: l.o.MaxPerAddress}
	// No address at all is one common entry.
	addr, _ := netip.ParseAddrPort(raw.RemoteAddr().String())
	ip := addr.Addr().Unmap()
	c.address = Prefix(ip)
	switch {
	case l.o.Unlimited(ip):
		c.limit = l.o.Max
	case ip.IsLoopback():
		c.limit *= loopbackFactor
	}
	l.wait(c)
	return c, nil
}

// ConnState is for http.Server.ConnState.
func (l *Listener) ConnState(raw net.Conn, state http.ConnState) {
	c := unwrap(raw)
	if c == nil || c.gate != l {
		return
	}
	switch state {
	case http.StateNew: // counted since Accept
	case http.StateIdle:
		l.wait(c)
	case http.StateActive, http.StateHijacked, http.StateClosed:
		l.done(c)
	}
}

// Waiting returns how many connections wait.
func (l *Listener) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting.Len()
}

// wait counts a connection as silent from now on, and makes room for it.
func (l *Listener) wait(c *conn) {
	for _, victim := range l.enter(c) {
		l.o.OnClose()
		victim.reset()
	}
}

// enter lists c and returns which connections must go for it. They are taken off
// the lists.
func (l *Listener) enter(c *conn) (victims []*conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.inAll != nil || c.closed {
		return nil
	}
	own := l.addresses[c.address]
	if own == nil {
		own = list.New()
		l.addresses[c.address] = own
	}
	c.inAll, c.inOwn = l.waiting.PushBack(c), own.PushBack(c)
	if check.Off(check.Connections) {
		return nil
	}
	if own.Len() > c.limit {
		victims = append(victims, l.firstLocked(own))
	}
	if l.waiting.Len() > l.o.Max {
		victims = append(victims, l.firstLocked(l.waiting))
	}
	return victims
}

func (l *Listener) firstLocked(of *list.List) *conn {
	c, _ := of.Front().Value.(*conn) // there is nothing else in it
	l.removeLocked(c)
	return c
}

// done takes a connection off the lists: it has spoken, or it is gone.
func (l *Listener) done(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removeLocked(c)
}

func (l *Listener) removeLocked(c *conn) {
	if c.inAll == nil {
		return
	}
	own := l.addresses[c.address]
	l.waiting.Remove(c.inAll)
	own.Remove(c.inOwn)
	if own.Len() == 0 {
		delete(l.addresses, c.address)
	}
	c.inAll, c.inOwn = nil, nil
}

// Prefix returns what one household or one rented machine has at least: an
// IPv4 address or an IPv6 /64.
func Prefix(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() && !ip.IsLoopback() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address at all: one common entry
	}
	return p
}
