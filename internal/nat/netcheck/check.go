package netcheck

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
)

// check is one run of Check.
type check struct {
	o       Options // constant
	local   map[netip.Addr]bool
	witness *witness
}

// Check examines the network, everything at the same time, for at most
// Options.Timeout. It leaves nothing behind: sockets are closed, relays and ports
// given back, and its goroutines have ended.
func Check(ctx context.Context, o Options) Report {
	o, err := o.withDefaults()
	if err != nil {
		return Report{UDP: nat.UDPUnknown, Problem: "the network interfaces cannot be listed: " + err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c := &check{o: o, witness: &witness{came: make(chan struct{})}}
	var (
		r       Report
		four    familyResult
		six     familyResult
		wg      sync.WaitGroup
		servers = parseServers(o.Servers)
	)
	four.Local, six.Local = c.addresses()
	r.Relays = make([]RelayReport, len(servers.relays))
	for i, s := range servers.relays {
		wg.Go(func() { r.Relays[i] = c.relay(ctx, s) })
	}
	wg.Go(func() {
		all := c.resolve(ctx, servers.stun)
		var both sync.WaitGroup
		both.Go(func() { c.family(ctx, "udp4", all, &four) })
		both.Go(func() { c.family(ctx, "udp6", all, &six) })
		both.Wait()
		for _, s := range all {
			if s.problem != "" {
				r.STUN = append(r.STUN, STUNReport{URL: s.url, Problem: s.problem})
			}
		}
	})
	if o.Signal != "" {
		wg.Go(func() {
			s := c.signal(ctx)
			r.Signal = &s
		})
	}
	if o.PortMap != nil {
		wg.Go(func() { r.PortMapping = o.PortMap(ctx) })
	}
	wg.Wait()
	r.IPv4, r.IPv6 = four.Family, six.Family
	r.STUN = append([]STUNReport{}, slices.Concat(four.servers, six.servers, r.STUN)...)
	r.conclude()
	return r
}

// addresses lists this machine's own addresses.
func (c *check) addresses() (four, six []netip.Addr) {
	c.local = make(map[netip.Addr]bool)
	four, six = []netip.Addr{}, []netip.Addr{}
	interfaces, err := c.o.Net.Interfaces()
	if err != nil {
		return four, six
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue // the others will do
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			ip := prefix.Addr().Unmap().WithZone("")
			if c.local[ip] {
				continue
			}
			c.local[ip] = true
			switch {
			case ip.IsLoopback() || ip.IsLinkLocalUnicast():
			case ip.Is4():
				four = append(four, ip)
			default:
				six = append(six, ip)
			}
		}
	}
	return four, six
}

// conclude draws from the parts what none of them knows.
func (r *Report) conclude() {
	answered, asked := 0, 0
	for _, s := range r.STUN {
		if s.Server.IsValid() {
			asked++
		}
		if s.Mapped.IsValid() {
			answered++
		}
	}
	tcp := r.Signal != nil && r.Signal.Reachable
	for _, l := range r.Relays {
		tcp = tcp || l.Transport != "udp" && l.Reachable
		if l.Transport == "udp" && l.Reachable {
			answered++
		}
	}
	switch {
	case answered > 0:
		r.UDP = nat.UDPOpen
	case asked > 0 && tcp:
		r.UDP = nat.UDPBlocked
	default:
		r.UDP = nat.UDPUnknown
	}
	if p := r.PortMapping; p != nil {
		r.DoubleNAT = p.DoubleNAT
		if seen := r.IPv4.Public; len(seen) == 1 && p.External.IsValid() && seen[0] != p.External && !behindOurselves(p, seen[0]) {
			r.DoubleNAT = true
		}
	}
}

// behindOurselves reports whether STUN saw an address of the local network, so
// that it says nothing about the router.
func behindOurselves(p *portmap.Report, seen netip.Addr) bool {
	return inside(seen) || seen.IsLoopback() || seen == p.Local
}
