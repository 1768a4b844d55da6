package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// maxAddresses bounds how many addresses of a machine are listened on.
const maxAddresses = 16

// Sockets are UDP sockets at addresses of this machine.
type Sockets struct {
	// UDP are the sockets, for Options.
	UDP []Socket
	// At are the addresses that were asked for, bound. Sockets at the ports next
	// to them, for clients that examine their NAT, are in UDP only.
	At []netip.AddrPort
}

// OpenSockets binds every address, "IP:port" or ":port" for every address of
// this machine but loopback and link-local ones, one by one: from a socket at all
// of them an answer could leave by another address than the question came to.
// (An address that the machine gets later has no socket, unless it has none at
// the start: then one socket is for all.) public is where the
// world sees this machine, at most one address of a family, if a NAT one to one
// is before it. Where clients of the world may come, the next higher port is
// bound too, if it is free.
func OpenSockets(ctx context.Context, addresses []string, public []netip.Addr) (*Sockets, error) {
	s := &Sockets{}
	for _, a := range addresses {
		if err := s.open(ctx, a, public); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if len(s.At) == 0 {
		return nil, errors.New("no address of this machine can be listened on for STUN")
	}
	return s, nil
}

// Close closes the sockets: for a caller that does not give them to a Server.
func (s *Sockets) Close() error {
	var err error
	for _, u := range s.UDP {
		err = errors.Join(err, u.Conn.Close())
	}
	return err
}

func (s *Sockets) open(ctx context.Context, address string, nat []netip.Addr) error {
	host, portText, err := net.SplitHostPort(address)
	port, err2 := strconv.ParseUint(portText, 10, 16)
	if err != nil || err2 != nil {
		return fmt.Errorf("%q is no address for STUN; write IP:port, or :port for every address", address)
	}
	ips, explicit, err := expand(host)
	if err != nil {
		return err
	}
	for _, ip := range ips {
		if len(s.At) >= maxAddresses {
			return nil
		}
		conn, err := bind(ctx, ip, uint16(port))
		if !explicit && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)) {
			continue // going, or coming (IPv6 looks for duplicates first), or not known here
		}
		if err != nil {
			return fmt.Errorf("listen on UDP %s: %w", netip.AddrPortFrom(ip, uint16(port)), err)
		}
		at := addrPort(conn.LocalAddr())
		s.At = append(s.At, at)
		s.add(conn, at, nat)
		if !explicit && !public(ip) && len(nat) == 0 || at.Port() == 65535 {
			continue
		}
		if next, err := bind(ctx, ip, at.Port()+1); err == nil {
			s.add(next, addrPort(next.LocalAddr()), nat)
		}
	}
	return nil
}

func bind(ctx context.Context, ip netip.Addr, port uint16) (net.PacketConn, error) {
	network := "udp4"
	if ip.Is6() {
		network = "udp6"
	}
	lc := net.ListenConfig{}
	return lc.ListenPacket(ctx, network, netip.AddrPortFrom(ip, port).String())
}

func (s *Sockets) add(conn net.PacketConn, at netip.AddrPort, nat []netip.Addr) {
	out := Socket{Conn: conn, Public: at}
	for _, ip := range nat {
		if ip.Is4() == at.Addr().Is4() {
			out.Public = netip.AddrPortFrom(ip, at.Port())
		}
	}
	s.UDP = append(s.UDP, out)
}

// expand returns the addresses that a host stands for, and whether it names one.
func expand(host string) (ips []netip.Addr, explicit bool, err error) {
	wild := host == ""
	ip, err := netip.ParseAddr(host)
	switch {
	case wild:
	case err != nil:
		return nil, false, fmt.Errorf("%q is no IP address; STUN listens on addresses, not on names", host)
	case !ip.IsUnspecified():
		return []netip.Addr{ip.Unmap()}, true, nil
	}
	all, err := LocalAddresses()
	if err != nil {
		return nil, false, err
	}
	for _, a := range all {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() && (wild || a.Is4() == ip.Is4()) {
			ips = append(ips, a)
		}
	}
	if len(ips) > 0 {
		return ips, false, nil
	}
	// No network yet: better one socket for whatever comes than none.
	if wild {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, false, nil
	}
	return []netip.Addr{ip}, false, nil
}

// LocalAddresses returns the addresses of this machine, public ones first.
func LocalAddresses() ([]netip.Addr, error) {
	prefixes, err := LocalPrefixes()
	if err != nil {
		return nil, err
	}
	out := make([]netip.Addr, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.Addr()
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return out, nil
}

// LocalPrefixes returns the addresses of this machine with the lengths of their
// networks.
func LocalPrefixes() ([]netip.Prefix, error) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("look up this machine's addresses: %w", err)
	}
	var out []netip.Prefix
	for _, n := range nets {
		if p, err := netip.ParsePrefix(n.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	return out, nil
}

func rank(ip netip.Addr) int {
	if public(ip) {
		return 0
	}
	return 1
}
