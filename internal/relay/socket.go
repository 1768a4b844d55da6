package relay

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// socket is a UDP socket that clients talk to, given to pion/turn as a
// net.PacketConn that holds only what is pion's business.
type socket struct {
	// constant after construction
	server *Server
	conn   udpConn
	index  int    // among the server's sockets
	ended  func() // the reader has ended; once

	mu sync.RWMutex
	// guarded by mu
	allocations map[netip.AddrPort]*allocation // by client
}

// ReadFrom implements net.PacketConn: it answers Binding requests, forwards
// channel data, and returns everything else, if there is somebody to take it.
func (s *socket) ReadFrom(p []byte) (int, net.Addr, error) {
	var retry readRetry
	for {
		n, from, err := s.conn.read(p)
		if err != nil {
			if retry.again(s.server, err) {
				continue
			}
			s.ended()
			return 0, nil, err
		}
		retry.failed = 0
		if packet := p[:n]; n < len(p) && s.wanted(packet, from) {
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// serve answers Binding requests until the socket is closed.
func (s *socket) serve() {
	var p [mtu]byte
	for {
		if _, _, err := s.ReadFrom(p[:]); err != nil {
			return
		}
	}
}

// wanted reports whether a packet is for pion.
func (s *socket) wanted(packet []byte, from netip.AddrPort) bool {
	switch {
	case len(packet) < channelHeader:
		return false
	case packet[0]>>6 == 1:
		if a := s.allocation(from); a != nil {
			a.forward(packet)
		}
		return false
	case !isRequest(packet) && s.allocation(from) == nil:
		// pion answers even indications, if there is an attribute in them that it
		// does not know: without a limit, to whoever is said to have sent them.
		s.server.drop(droppedStranger)
		return false
	case isRequest(packet) && !s.server.throttle.allow(time.Now(), from.Addr()):
		s.server.drop(droppedThrottled)
		return false
	case isBinding(packet):
		if answer, via := answerBinding(packet, from, s.index, s.server.at, s.server.other); answer != nil {
			s.server.metrics.bindings.Inc()
			_ = s.server.sockets[via].conn.write(answer, from) // as lost as any datagram
		}
		return false
	}
	return s.server.turn != nil
}

func (s *socket) allocation(of netip.AddrPort) *allocation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.allocations[of]
}

func (s *socket) attach(of netip.AddrPort, a *allocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allocations[of] = a
}

func (s *socket) detach(of netip.AddrPort, a *allocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.allocations[of] == a {
		delete(s.allocations, of)
	}
}

// WriteTo implements net.PacketConn.
func (s *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	return len(p), s.conn.write(p, addrPort(to))
}

// Close implements net.PacketConn.
func (s *socket) Close() error { return s.conn.Close() }

// LocalAddr implements net.PacketConn.
func (s *socket) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (s *socket) SetDeadline(t time.Time) error { return s.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }
