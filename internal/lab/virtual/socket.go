package virtual

import (
	"net"

	"github.com/pion/transport/v4"
)

// socket is a UDP socket of a host that may move.
type socket struct {
	transport.UDPConn
	host *Host // constant
}

// WriteTo implements net.PacketConn.
func (s *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	s.host.moving.RLock()
	defer s.host.moving.RUnlock()
	return s.UDPConn.WriteTo(p, to)
}

// WriteToUDP implements transport.UDPConn.
func (s *socket) WriteToUDP(p []byte, to *net.UDPAddr) (int, error) { return s.WriteTo(p, to) }
