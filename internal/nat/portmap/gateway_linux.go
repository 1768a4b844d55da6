package portmap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// errNoGateway says that there is no router to ask.
var errNoGateway = errors.New("this machine has no IPv4 default route over a router")

// defaultGateway returns the router of the IPv4 default route and our address
// towards it.
func defaultGateway() (gateway, local netip.Addr, err error) {
	table, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return netip.Addr{}, netip.Addr{}, fmt.Errorf("read the routing table: %w", err)
	}
	gateway, ok := defaultRoute(table)
	if !ok {
		return netip.Addr{}, netip.Addr{}, errNoGateway
	}
	// Nothing is sent: the system chooses the address.
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(gateway, controlPort)))
	if err != nil {
		return netip.Addr{}, netip.Addr{}, fmt.Errorf("find our address towards the router %s: %w", gateway, err)
	}
	defer func() { _ = conn.Close() }()
	from, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return netip.Addr{}, netip.Addr{}, fmt.Errorf("find our address towards the router %s: %w", gateway, err)
	}
	return gateway, from.Addr().Unmap(), nil
}

// defaultRoute returns the gateway of the default route with the lowest metric in
// the form of /proc/net/route: a heading, then lines of interface, destination,
// gateway, flags, reference count, use, metric, mask, all numbers but the counts and
// the metric in hexadecimal, addresses as the machine stores them.
func defaultRoute(table []byte) (gateway netip.Addr, ok bool) {
	const upAndGateway = 0x3 // RTF_UP, RTF_GATEWAY
	best := uint64(0)
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		address, err := strconv.ParseUint(f[2], 16, 32)
		if err != nil {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if err != nil || flags&upAndGateway != upAndGateway {
			continue
		}
		metric, err := strconv.ParseUint(f[6], 10, 32)
		if err != nil || ok && metric >= best {
			continue
		}
		var a [4]byte
		binary.NativeEndian.PutUint32(a[:], uint32(address))
		gateway, best, ok = netip.AddrFrom4(a), metric, true
	}
	return gateway, ok
}
