package netcheck

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// maxPacket is more than any STUN message has; the rest of a longer packet is cut
// off.
const maxPacket = 1500

// maxReadErrors ends a socket that does nothing but fail, or that was closed and
// says so in words of its own.
const maxReadErrors = 64

// socket is a UDP socket with STUN on it.
type socket struct {
	*nat.Exchange
	conn net.PacketConn
	// awaited is the id of a request that may come in; heard is closed when it does.
	awaited atomic.Pointer[[stun.TransactionIDSize]byte]
	heard   chan struct{}
	ended   chan struct{}
}

// listen opens a socket on a port of its own, for "udp4" or "udp6".
func (c *check) listen(network string) (*socket, error) {
	address := "0.0.0.0:0"
	if network == "udp6" {
		address = "[::]:0"
	}
	conn, err := c.o.Net.ListenPacket(network, address)
	if err != nil {
		return nil, fmt.Errorf("open a UDP port: %w", err)
	}
	s := &socket{conn: conn, heard: make(chan struct{}), ended: make(chan struct{})}
	s.Exchange = nat.NewExchange(s.write)
	go s.read()
	return s, nil
}

// close closes the socket and waits for its goroutine.
func (s *socket) close() {
	_ = s.conn.Close()
	<-s.ended
}

func (s *socket) write(p []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteTo(p, udpAddr(to))
	return err
}

// port returns the socket's own port.
func (s *socket) port() uint16 {
	if a, ok := s.conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort().Port()
	}
	return 0
}

func (s *socket) read() {
	defer close(s.ended)
	buf := make([]byte, maxPacket)
	told := false
	for failed := 0; failed < maxReadErrors; {
		n, from, err := s.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failed++ // some systems tell here that an earlier packet did not arrive
			continue
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok || s.Handle(buf[:n], unmapped(udp.AddrPort())) {
			continue
		}
		if id := s.awaited.Load(); !told && id != nil && n >= 20 && stun.IsMessage(buf[:n]) && string(buf[8:20]) == string(id[:]) {
			told = true
			close(s.heard)
		}
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
