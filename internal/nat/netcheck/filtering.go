package netcheck

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// The flags of CHANGE-REQUEST (RFC 5780 §7.2).
const (
	changePort byte = 0x02
	changeIP   byte = 0x04
)

// reply is what became of a request to answer from elsewhere.
type reply uint8

const (
	silent    reply = iota // nothing came
	came                   // the answer came from there
	elsewhere              // the server answered, but not from there
	refused                // the server does not do that
	broken                 // the test itself failed
)

// filtering measures whom the router lets in (RFC 5780 §4.4). Each test has a
// socket of its own, which has sent to the server's first address alone.
func (c *check) filtering(ctx context.Context, network string, r STUNReport) Measured {
	if !r.Other.IsValid() {
		return unknown("no STUN server has a second address to answer from (RFC 5780)")
	}
	both, port := silent, silent
	twoHosts := r.Other.Addr() != r.Server.Addr()
	var wg sync.WaitGroup
	if twoHosts {
		wg.Go(func() { both = c.fromElsewhere(ctx, network, r.Server, r.Other, changeIP|changePort) })
	}
	there := netip.AddrPortFrom(r.Server.Addr(), r.Other.Port())
	wg.Go(func() { port = c.fromElsewhere(ctx, network, r.Server, there, changePort) })
	wg.Wait()
	return classifyFiltering(twoHosts, both, port)
}

func classifyFiltering(twoHosts bool, both, port reply) Measured {
	switch {
	case both == came:
		return certain(nat.EndpointIndependent)
	case both == broken || port == broken:
		return unknown("the STUN server stopped answering in between; try again")
	case both > came || port > came:
		return unknown("the STUN server does not answer from its second address when asked to")
	case port == silent:
		return certain(nat.AddressPortDependent)
	case twoHosts:
		return certain(nat.AddressDependent)
	}
	return likely(nat.AddressDependent, "the STUN server has one address with two ports, so this may be endpoint-independent")
}

// fromElsewhere asks server to answer from another of its addresses, there.
func (c *check) fromElsewhere(ctx context.Context, network string, server, there netip.AddrPort, change byte) reply {
	s, err := c.listen(network)
	if err != nil {
		return broken
	}
	defer s.close()
	if _, err = s.Do(ctx, server, stun.BindingRequest); err != nil { // opens the router's port
		return broken
	}
	res, err := s.insist(ctx, server, server, stun.RawAttribute{Type: stun.AttrChangeRequest, Value: []byte{0, 0, 0, change}})
	switch {
	case errors.Is(err, errSilent):
		return silent
	case err != nil:
		return broken // there was no time to wait
	case res.Message.Type != stun.BindingSuccess:
		return refused
	case res.From != there:
		return elsewhere
	}
	return came
}
