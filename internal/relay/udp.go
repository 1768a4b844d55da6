package relay

import (
	"net"
	"net/netip"
)

// udpConn is a UDP socket whose addresses are values: a *net.UDPConn allocates
// nothing for them. IPv4 addresses come out unmapped.
type udpConn interface {
	read(p []byte) (n int, from netip.AddrPort, err error)
	write(p []byte, to netip.AddrPort) error
	net.PacketConn
}

func newUDPConn(c net.PacketConn) udpConn {
	if u, ok := c.(*net.UDPConn); ok {
		return fastUDP{u}
	}
	return anyUDP{c}
}

type fastUDP struct{ *net.UDPConn }

func (c fastUDP) read(p []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFromUDPAddrPort(p)
	return n, unmap(from), err
}

func (c fastUDP) write(p []byte, to netip.AddrPort) error {
	_, err := c.WriteToUDPAddrPort(p, to)
	return err
}

// anyUDP is a socket of another kind: of a virtual network.
type anyUDP struct{ net.PacketConn }

func (c anyUDP) read(p []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFrom(p)
	return n, addrPort(from), err
}

func (c anyUDP) write(p []byte, to netip.AddrPort) error {
	_, err := c.WriteTo(p, net.UDPAddrFromAddrPort(to))
	return err
}

// addrPort is the address of a UDP or TCP socket, or the zero value.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
