package relay

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// refreshEvery is how long a list of the machine's addresses is good: IPv6 ones
// come and go by themselves.
const refreshEvery = 10 * time.Second

// destinations decides which addresses are relayed to.
type destinations struct {
	// constant after construction
	allowed []netip.Prefix      // whatever they are
	own     map[netip.Addr]bool // of this machine: relayed to at the relay's own ports only
	list    func() ([]netip.Prefix, error)

	machine atomic.Pointer[machine] // what list said; replaced as a whole

	mu     sync.Mutex
	listed time.Time // guarded by mu
}

// machine is what a machine's interfaces say.
type machine struct{ own, broadcast map[netip.Addr]bool }

// refresh lists the machine's addresses anew, if it is time to.
func (d *destinations) refresh(now time.Time, log *slog.Logger) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age := now.Sub(d.listed); d.list == nil || !d.listed.IsZero() && age >= 0 && age < refreshEvery {
		return
	}
	d.listed = now
	prefixes, err := d.list()
	if err != nil {
		log.Warn("the relay cannot list this machine's addresses, the old list counts", "error", err)
		return
	}
	m := &machine{own: make(map[netip.Addr]bool), broadcast: make(map[netip.Addr]bool)}
	for _, p := range prefixes {
		ip := p.Addr().Unmap().WithZone("")
		m.own[ip] = true
		if host := 32 - p.Bits(); ip.Is4() && host > 1 && host < 32 {
			n := ip.As4()
			binary.BigEndian.PutUint32(n[:], binary.BigEndian.Uint32(n[:])|(1<<host-1))
			m.broadcast[netip.AddrFrom4(n)] = true
		}
	}
	d.machine.Store(m)
}

func (d *destinations) isOwn(ip netip.Addr) bool {
	m := d.machine.Load()
	return d.own[ip] || m != nil && m.own[ip]
}

func (d *destinations) isBroadcast(ip netip.Addr) bool {
	m := d.machine.Load()
	return m != nil && m.broadcast[ip]
}

// public reports whether an address belongs to the public internet. Networks of
// examples (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) count:
// nobody is there to be harmed.
func public(ip netip.Addr) bool {
	if ip.Is6() {
		// Of IPv6 only 2000::/3 is given out: that leaves out loopback, link-local,
		// unique local, multicast, and IPv4 in other clothes (RFC 6890).
		return globalIPv6().Contains(ip) && !within(ip, disguisedIPv4())
	}
	return ip.Is4() && !within(ip, specialIPv4())
}

func globalIPv6() netip.Prefix { return prefix("2000::/3") }

// disguisedIPv4 are networks of IPv6 whose addresses name a host of IPv4.
func disguisedIPv4() []netip.Prefix {
	return []netip.Prefix{prefix("2001::/32"), prefix("2002::/16")} // Teredo, 6to4
}

// specialIPv4 are the networks of IPv4 that are not public (RFC 6890).
func specialIPv4() []netip.Prefix {
	return []netip.Prefix{
		prefix("0.0.0.0/8"), prefix("10.0.0.0/8"), prefix("100.64.0.0/10"), prefix("127.0.0.0/8"), prefix("169.254.0.0/16"),
		prefix("172.16.0.0/12"), prefix("192.0.0.0/24"), prefix("192.88.99.0/24"), prefix("192.168.0.0/16"),
		prefix("198.18.0.0/15"), prefix("224.0.0.0/3"),
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func within(ip netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// address reports whether an address may be relayed to at all; an address of
// this machine's own may, but not every port of it.
func (d *destinations) address(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.Zone() == "" && !d.isBroadcast(ip) && (d.isOwn(ip) || d.isAllowed(ip) || public(ip))
}

// relaysOnly reports whether an address may be relayed to at the ports of relays
// only: nobody outside shall reach this machine's own services from within.
func (d *destinations) relaysOnly(ip netip.Addr) bool {
	return d.isOwn(ip) && !d.isAllowed(ip)
}

func (d *destinations) isAllowed(ip netip.Addr) bool { return within(ip, d.allowed) }
