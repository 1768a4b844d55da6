package netcheck

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// familyResult is a Family and the servers that it was measured with.
type familyResult struct {
	Family
	servers []STUNReport
}

// observation is the address that one destination saw a socket's packets come
// from.
type observation struct{ to, mapped netip.AddrPort }

// family examines one of the two internets by the STUN servers that are on it.
func (c *check) family(ctx context.Context, network string, all []*stunServer, f *familyResult) {
	f.Public, f.NAT, f.Hairpin = []netip.Addr{}, Undecided, Undecided
	f.Mapping, f.Filtering = unknown("no STUN server was asked"), unknown("no STUN server was asked")
	for _, s := range all {
		for _, a := range s.addrs {
			if a.Addr().Is4() == (network == "udp4") {
				f.servers = append(f.servers, STUNReport{URL: s.url, Server: a})
			}
		}
	}
	if len(f.servers) == 0 {
		return
	}
	s, err := c.listen(network)
	if err != nil {
		f.Mapping, f.Filtering = unknown(err.Error()), unknown(err.Error())
		for i := range f.servers {
			f.servers[i].Problem = err.Error()
		}
		return
	}
	defer s.close()
	c.ask(ctx, s, f.servers)
	var seen []observation
	for _, r := range f.servers {
		if r.Mapped.IsValid() {
			seen = append(seen, observation{r.Server, r.Mapped})
		}
	}
	if len(seen) == 0 {
		f.Mapping, f.Filtering = unknown("no STUN server answered"), unknown("no STUN server answered")
		return
	}
	c.behaviours(ctx, network, s, seen, f)
}

// ask sends a Binding request to every server, all at the same time. Where none
// answers it waits longer than where some do.
func (c *check) ask(ctx context.Context, s *socket, servers []STUNReport) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	var wg, watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		c.enough(ctx)
		cancel()
	})
	for i := range servers {
		wg.Go(func() {
			r, start := &servers[i], time.Now()
			res, err := s.Do(ctx, r.Server, stun.BindingRequest)
			if err != nil {
				r.Problem = "no answer by UDP"
				return
			}
			c.witness.testify(r.Server)
			r.RTTms = time.Since(start).Milliseconds()
			if r.Mapped, err = nat.MappedAddress(res.Message); err != nil {
				r.Problem = err.Error()
				return
			}
			r.Other = otherAddress(res.Message, r.Server)
		})
	}
	wg.Wait()
}

// otherAddress returns the server's OTHER-ADDRESS (RFC 5780 §7.4), or the zero
// value. One that is of another kind than the server's own, or that no packet
// should go to, is a mistake or a trick: a server on the internet must not make
// us knock at the neighbours.
func otherAddress(m *stun.Message, server netip.AddrPort) netip.AddrPort {
	var other stun.OtherAddress
	if other.GetFrom(m) != nil || other.Port < 1 || other.Port > 65535 {
		return netip.AddrPort{}
	}
	ip, ok := netip.AddrFromSlice(other.IP)
	ip = ip.Unmap()
	own := server.Addr()
	switch {
	case !ok || ip.Is4() != own.Is4() || !ip.IsGlobalUnicast() && !ip.IsLoopback():
	case ip.IsLoopback() != own.IsLoopback() || inside(ip) != inside(own):
	case uint16(other.Port) == server.Port():
	default:
		return netip.AddrPortFrom(ip, uint16(other.Port))
	}
	return netip.AddrPort{}
}

// inside reports whether an address is one of a private network, or a provider's
// (RFC 1918, RFC 4193, RFC 6598).
func inside(ip netip.Addr) bool {
	return ip.IsPrivate() || netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(ip)
}

// behaviours measures mapping, filtering and hairpinning, all at the same time.
func (c *check) behaviours(ctx context.Context, network string, s *socket, seen []observation, f *familyResult) {
	first := seen[0]
	f.NAT = answer(!c.local[first.mapped.Addr()] || first.mapped.Port() != s.port())
	capable := mostCapable(f.servers)
	var wg sync.WaitGroup
	wg.Go(func() {
		more := c.askOthers(ctx, s, capable)
		seen = append(seen, more...)
		f.Mapping = classifyMapping(seen)
	})
	wg.Go(func() { f.Filtering = c.filtering(ctx, network, capable) })
	if f.NAT == Yes {
		wg.Go(func() { f.Hairpin = c.hairpin(ctx, network, s, first) })
	}
	wg.Wait()
	if f.Filtering.Kind == nat.AddressDependent || f.Filtering.Kind == nat.AddressPortDependent {
		heard := func(a netip.AddrPort) bool {
			return slices.ContainsFunc(seen, func(o observation) bool { return o.to == a })
		}
		if !heard(capable.Other) || !heard(netip.AddrPortFrom(capable.Server.Addr(), capable.Other.Port())) {
			f.Filtering = unknown("the STUN server's second address does not answer at all")
		}
	}
	for _, o := range seen {
		if ip := o.mapped.Addr(); !slices.Contains(f.Public, ip) {
			f.Public = append(f.Public, ip)
		}
	}
}

// mostCapable returns the server that can be used for the most tests: one with a
// second address, else one whose address another has too, on another port, since
// those are often one server.
func mostCapable(servers []STUNReport) STUNReport {
	answered := slices.DeleteFunc(slices.Clone(servers), func(r STUNReport) bool { return !r.Mapped.IsValid() })
	for _, twoHosts := range []bool{true, false} {
		for _, r := range answered {
			if r.Other.IsValid() && (!twoHosts || r.Other.Addr() != r.Server.Addr()) {
				return r
			}
		}
	}
	for _, r := range answered {
		for _, other := range answered {
			if other.Server.Addr() == r.Server.Addr() && other.Server.Port() != r.Server.Port() {
				r.Other = other.Server
				return r
			}
		}
	}
	return answered[0]
}

// askOthers asks at a server's other addresses (RFC 5780 §4.3, tests II and III).
func (c *check) askOthers(ctx context.Context, s *socket, r STUNReport) []observation {
	if !r.Other.IsValid() {
		return nil
	}
	var others []netip.AddrPort
	for _, a := range []netip.AddrPort{
		netip.AddrPortFrom(r.Server.Addr(), r.Other.Port()),
		netip.AddrPortFrom(r.Other.Addr(), r.Server.Port()),
		r.Other,
	} {
		if a != r.Server && !slices.Contains(others, a) {
			others = append(others, a)
		}
	}
	seen := make([]observation, len(others))
	var wg sync.WaitGroup
	for i, a := range others {
		wg.Go(func() {
			res, err := s.insist(ctx, r.Server, a)
			if err != nil {
				return
			}
			if mapped, err := nat.MappedAddress(res.Message); err == nil {
				seen[i] = observation{a, mapped}
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(seen, func(o observation) bool { return !o.mapped.IsValid() })
}

// classifyMapping draws the mapping behaviour from what several destinations saw
// of one socket. With a server of RFC 5780 this is §4.3; with plain servers it
// says what they prove.
func classifyMapping(seen []observation) Measured {
	var sameHost, otherHost, portMatters, hostMatters bool
	for i, a := range seen {
		for _, b := range seen[:i] {
			if a.to == b.to {
				continue
			}
			same, changed := a.to.Addr() == b.to.Addr(), a.mapped != b.mapped
			sameHost, otherHost = sameHost || same, otherHost || !same
			portMatters = portMatters || same && changed
			hostMatters = hostMatters || !same && changed
		}
	}
	switch {
	case portMatters:
		return certain(nat.AddressPortDependent)
	case hostMatters && sameHost:
		return certain(nat.AddressDependent)
	case hostMatters:
		return likely(nat.AddressPortDependent, "every server was asked on one port only, so this may be address-dependent")
	case otherHost:
		return certain(nat.EndpointIndependent)
	case sameHost:
		return likely(nat.EndpointIndependent, "all answers came from one address; a STUN server elsewhere would make it certain")
	}
	return unknown("one answer cannot tell; name a second STUN server, or one with two addresses (RFC 5780)")
}
