package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// mdnsPort is the port of multicast DNS.
const mdnsPort = 5353

// wire is the socket for one family of addresses. Its methods may be called
// concurrently.
type wire interface {
	// read returns a packet, the index of the interface that it came by (0 if the
	// system does not tell) and its source.
	read(p []byte) (n, index int, from netip.AddrPort, err error)
	// send sends to one address, or to the group if to is the zero value.
	send(p []byte, via *net.Interface, to netip.AddrPort) error
	join(*net.Interface) error
	leave(*net.Interface) error
	Close() error
}

// hopLimit is that of everything we send (RFC 6762 §11).
const hopLimit = 255

// listen opens the sockets. A family that this machine does not have is left out.
func listen(ctx context.Context) (four, six wire, err error) {
	// For a multicast address package net shares the port with the system's own
	// responder, and binds to all addresses.
	open := func(network, group string) (net.PacketConn, error) {
		return (&net.ListenConfig{}).ListenPacket(ctx, network, net.JoinHostPort(group, strconv.Itoa(mdnsPort)))
	}
	c4, err4 := open("udp4", group4)
	if err4 == nil {
		w := &wire4{conn: ipv4.NewPacketConn(c4)}
		// What a system does not do of this it can live without.
		_ = w.conn.SetControlMessage(ipv4.FlagInterface, true)
		_ = w.conn.SetMulticastTTL(hopLimit)
		_ = w.conn.SetTTL(hopLimit)
		four = w
	}
	c6, err6 := open("udp6", group6)
	if err6 == nil {
		w := &wire6{conn: ipv6.NewPacketConn(c6)}
		_ = w.conn.SetControlMessage(ipv6.FlagInterface, true)
		_ = w.conn.SetMulticastHopLimit(hopLimit)
		_ = w.conn.SetHopLimit(hopLimit)
		six = w
	}
	if four == nil && six == nil {
		return nil, nil, fmt.Errorf("open UDP port %d for multicast DNS (does another program keep it for itself?): %w", mdnsPort, errors.Join(err4, err6))
	}
	return four, six, nil
}

const (
	group4 = "224.0.0.251"
	group6 = "ff02::fb"
)

type wire4 struct {
	conn *ipv4.PacketConn
	mu   sync.Mutex // which interface multicast leaves by, and the packet
}

func (w *wire4) read(p []byte) (n, index int, from netip.AddrPort, err error) {
	n, cm, src, err := w.conn.ReadFrom(p)
	if cm != nil {
		index = cm.IfIndex
	}
	return n, index, source(src), err
}

func (w *wire4) send(p []byte, via *net.Interface, to netip.AddrPort) error {
	dst := net.UDPAddrFromAddrPort(to)
	if !to.IsValid() {
		dst = &net.UDPAddr{IP: net.ParseIP(group4), Port: mdnsPort}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.conn.SetMulticastInterface(via); err != nil {
		return err
	}
	_, err := w.conn.WriteTo(p, nil, dst)
	return err
}

func (w *wire4) join(i *net.Interface) error {
	return w.conn.JoinGroup(i, &net.UDPAddr{IP: net.ParseIP(group4)})
}

func (w *wire4) leave(i *net.Interface) error {
	return w.conn.LeaveGroup(i, &net.UDPAddr{IP: net.ParseIP(group4)})
}

func (w *wire4) Close() error { return w.conn.Close() }

type wire6 struct {
	conn *ipv6.PacketConn
	mu   sync.Mutex // which interface multicast leaves by, and the packet
}

func (w *wire6) read(p []byte) (n, index int, from netip.AddrPort, err error) {
	n, cm, src, err := w.conn.ReadFrom(p)
	if cm != nil {
		index = cm.IfIndex
	}
	return n, index, source(src), err
}

func (w *wire6) send(p []byte, via *net.Interface, to netip.AddrPort) error {
	dst := net.UDPAddrFromAddrPort(to)
	if !to.IsValid() {
		dst = &net.UDPAddr{IP: net.ParseIP(group6), Port: mdnsPort}
	}
	dst.Zone = zone(via)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.conn.SetMulticastInterface(via); err != nil {
		return err
	}
	_, err := w.conn.WriteTo(p, nil, dst)
	return err
}

func (w *wire6) join(i *net.Interface) error {
	return w.conn.JoinGroup(i, &net.UDPAddr{IP: net.ParseIP(group6)})
}

func (w *wire6) leave(i *net.Interface) error {
	return w.conn.LeaveGroup(i, &net.UDPAddr{IP: net.ParseIP(group6)})
}

func (w *wire6) Close() error { return w.conn.Close() }

// zone names an interface in an address, by its index: package net believes for a
// minute that a name stands for the index it had.
func zone(i *net.Interface) string { return strconv.Itoa(i.Index) }

func source(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	from := u.AddrPort()
	return netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}
