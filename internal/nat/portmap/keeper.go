package portmap

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

const (
	// askEvery is how long a router is believed to know what it granted. A request
	// that changes nothing is the one question that all of them answer: so a router
	// that restarted has the mapping again, and a new external address is known,
	// after this time at the latest.
	askEvery = 5 * time.Minute
	// minAsk bounds what a router that grants very short leases costs.
	minAsk = 15 * time.Second
	minGap = time.Second
	// firstRetry and lostRetry are the first waits after a failure: of a router that
	// mapped nothing, and of one that did and may just restart. They double up to
	// lastRetry, or firstRetry as long as a mapping may still live.
	firstRetry = time.Minute
	lostRetry  = 5 * time.Second
	lastRetry  = time.Hour
	verifyWait = 10 * time.Second
)

// way is a protocol and who speaks it.
type way struct {
	protocol Protocol
	mapper   mapper
}

// newMappers returns who speaks with a router, in the order of trying.
func newMappers(gateway, local netip.Addr, secret []byte) []way {
	return []way{
		{PCP, newPCP(netip.AddrPortFrom(gateway, controlPort), local, secret)},
		{NATPMP, &natPMP{gateway: gateway, local: local, wait: natPMPWait}},
		{UPnP, newUPnP(gateway, local)},
	}
}

// keeper is the state of Client.Run and belongs to its goroutine.
type keeper struct {
	client *Client
	opts   Options

	gateway, local netip.Addr
	ways           []way // for this gateway and address, the one in use first
	mappings       []Mapping
	confirmed      map[string]netip.AddrPort // by transport: what Verify said yes to
	report         Report
	noAddress      bool          // the router said so in this pass
	retry          time.Duration // the wait after the last failure; 0: none failed
}

// pass asks the router once and returns when to do so again.
func (k *keeper) pass(ctx context.Context) (wait time.Duration) {
	if err := k.look(); err != nil {
		return k.nobody(err)
	}
	k.noAddress = false
	for i, w := range k.ways {
		all, restarted, err := k.mapAll(ctx, w)
		if err != nil && ctx.Err() != nil {
			return 0 // that says nothing of the router
		}
		k.note(w.protocol, all, err)
		if err == nil {
			k.ways = slices.Insert(slices.Delete(slices.Clone(k.ways), i, i+1), 0, w)
			k.adopt(all, restarted)
			k.verify(ctx)
			return k.renewal()
		}
	}
	return k.nothing()
}

// look finds the router. If it is another than before, or our address is, what was
// known is forgotten.
func (k *keeper) look() error {
	gateway, local, err := k.opts.Gateway()
	if err != nil {
		k.forget(netip.Addr{}, netip.Addr{})
		return err
	}
	gateway, local = gateway.Unmap(), local.Unmap()
	if gateway != k.gateway || local != k.local {
		k.forget(gateway, local)
	}
	switch {
	case isPublic(local):
		return fmt.Errorf("this device's own address %s is one of the internet and needs no mapping", local)
	case !isExternal(gateway) || isPublic(gateway):
		return fmt.Errorf("the router's address %s is not one of a home network", gateway)
	case k.ways == nil:
		k.ways = k.opts.mappers(gateway, local, k.opts.Secret)
	}
	return nil
}

func (k *keeper) forget(gateway, local netip.Addr) {
	k.gateway, k.local, k.ways, k.mappings, k.confirmed, k.retry = gateway, local, nil, nil, nil, 0
	k.report = emptyReport("It was not asked.")
	k.report.Gateway, k.report.Local = gateway, local
}

// nobody ends a pass without a router to ask.
func (k *keeper) nobody(err error) time.Duration {
	k.report.Problem = "No port is mapped: " + err.Error() + "."
	k.tell()
	return k.failed(firstRetry)
}

// adopt takes over what a router granted.
func (k *keeper) adopt(all []Mapping, restarted bool) {
	if restarted {
		k.confirmed = nil
	}
	for i, m := range all {
		for _, before := range k.mappings {
			if before.Transport == m.Transport && before.External == m.External {
				all[i].Unverified = before.Unverified // until it is asked again
			}
		}
	}
	k.mappings, k.retry = all, 0
	k.report.External, k.report.DoubleNAT = all[0].External.Addr(), all[0].DoubleNAT
	k.report.Problem = k.problem()
	k.tell()
}

// nothing ends a pass in which no protocol mapped anything.
func (k *keeper) nothing() time.Duration {
	had := len(k.mappings) > 0
	k.mappings = slices.DeleteFunc(slices.Clone(k.mappings), func(m Mapping) bool {
		// A router that says no does not know the mapping any more. One that says
		// nothing may still have it.
		return k.report.has(Refused) || !m.Expires.IsZero() && !time.Now().Before(m.Expires)
	})
	if len(k.mappings) == 0 {
		k.report.External, k.report.DoubleNAT = netip.Addr{}, k.noAddress
	}
	k.report.Problem = k.problem()
	k.tell()
	if had {
		return k.failed(lostRetry)
	}
	return k.failed(firstRetry)
}

// failed returns how long to wait after a failure: first after the first, and twice
// as long after each that follows.
func (k *keeper) failed(first time.Duration) time.Duration {
	if k.retry = min(2*k.retry, lastRetry); k.retry == 0 {
		k.retry = first
	}
	if len(k.mappings) > 0 {
		k.retry = min(k.retry, firstRetry)
	}
	wait := k.retry
	for _, m := range k.mappings {
		if !m.Expires.IsZero() {
			wait = min(wait, time.Until(m.Expires))
		}
	}
	return wait
}

// renewal returns when to renew: at half of the shortest lifetime (RFC 6887
// §11.2.1), and after askEvery.
func (k *keeper) renewal() time.Duration {
	wait := askEvery
	for _, m := range k.mappings {
		if !m.Expires.IsZero() {
			wait = min(wait, time.Until(m.Expires)/2)
		}
	}
	return max(wait, minAsk)
}

// mapAll asks for UDP, and for TCP if wanted, by one protocol. TCP alone may fail. A
// router that restarted between the two is asked again.
func (k *keeper) mapAll(ctx context.Context, w way) (all []Mapping, restarted bool, err error) {
	for range 2 {
		g, err := w.mapper.request(ctx, k.wish(UDP))
		if err != nil {
			return nil, false, err
		}
		restarted = restarted || g.restarted
		all = []Mapping{k.mapping(w.protocol, UDP, g)}
		if !k.opts.TCP {
			break
		}
		if g, err = w.mapper.request(ctx, k.wish(TCP)); err == nil {
			all = append(all, k.mapping(w.protocol, TCP, g))
		}
		if !g.restarted {
			break
		}
		restarted = true
	}
	return all, restarted, nil
}

func (k *keeper) wish(transport string) wish {
	w := wish{transport: transport, port: k.opts.Port, lifetime: k.opts.Lifetime}
	for _, m := range k.mappings {
		if m.Transport == transport {
			w.external = m.External
		}
	}
	return w
}

func (k *keeper) mapping(p Protocol, transport string, g grant) Mapping {
	m := Mapping{
		Protocol: p, Transport: transport, Internal: g.internal, External: g.external,
		Gateway: k.gateway, DoubleNAT: !isPublic(g.external.Addr()),
	}
	if g.lifetime > 0 {
		m.Expires = time.Now().Add(g.lifetime)
	}
	return m
}

// verify asks whether the mappings work, those that were not confirmed yet.
func (k *keeper) verify(ctx context.Context) {
	if k.opts.Verify == nil {
		return
	}
	k.mappings = slices.Clone(k.mappings)
	for i := range k.mappings {
		m := &k.mappings[i]
		if m.DoubleNAT || k.confirmed[m.Transport] == m.External {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, verifyWait)
		err := k.opts.Verify(bounded, *m)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			m.Unverified = err.Error()
		default:
			m.Unverified = ""
			if k.confirmed == nil {
				k.confirmed = make(map[string]netip.AddrPort)
			}
			k.confirmed[m.Transport] = m.External
		}
	}
	k.report.Problem = k.problem()
	k.tell()
}

// problem is Report.Problem.
func (k *keeper) problem() string {
	const remedy = "make that router a bridge, or ask the provider for a public address or IPv6"
	r := k.report
	byHand := fmt.Sprintf("forward UDP port %d to %s by hand", k.opts.Port, k.local)
	switch {
	case len(k.mappings) > 0 && k.mappings[0].DoubleNAT:
		return fmt.Sprintf("The router's own address %s is not one of the internet: another router, or the provider, translates once more, "+
			"and the mapped port cannot be reached from beyond: %s.", r.External, remedy)
	case len(k.mappings) > 0 && k.mappings[0].Unverified != "":
		return fmt.Sprintf("The router mapped %s, but it could not be confirmed that packets arrive there: %s.", k.mappings[0].External, k.mappings[0].Unverified)
	case len(k.mappings) > 0:
		return ""
	case k.noAddress:
		return fmt.Sprintf("The router %s maps no port: it says that it has no public address of its own, or that its connection is down. "+
			"If other devices reach the internet, another router, or the provider, translates once more: %s.", k.gateway, remedy)
	}
	for _, p := range r.Protocols {
		if p.State == Refused {
			return fmt.Sprintf("The router %s maps no port. %s Allow it for this device in the router's settings, or %s.", k.gateway, p.Detail, byHand)
		}
	}
	return fmt.Sprintf("The router %s answers neither PCP nor NAT-PMP nor UPnP. Switch one of them on in its settings (often called UPnP), or %s.", k.gateway, byHand)
}

// tell publishes, and logs what is new.
func (k *keeper) tell() {
	if !k.client.publish(k.mappings, k.report) {
		return
	}
	if len(k.mappings) == 0 {
		k.opts.Logger.Info("no port is mapped", "router", k.gateway, "why", k.report.Problem)
		return
	}
	for _, m := range k.mappings {
		k.opts.Logger.Info("a port is mapped", "router", k.gateway, "protocol", m.Protocol, "transport", m.Transport,
			"external", m.External, "doubleNat", m.DoubleNAT, "unverified", m.Unverified)
	}
}

// release takes the mappings back.
func (k *keeper) release(ctx context.Context) {
	for _, m := range k.mappings {
		for _, w := range k.ways {
			if w.protocol != m.Protocol {
				continue
			}
			if err := w.mapper.release(ctx, m.Transport, grant{external: m.External, internal: m.Internal}); err != nil {
				k.opts.Logger.Info("a mapped port could not be given back, it ends with its lease", "port", m.External, "err", err)
			}
		}
	}
	k.mappings, k.report = nil, emptyReport("It is not in use.")
	k.client.publish(nil, k.report)
}

// note writes down what became of a protocol.
func (k *keeper) note(p Protocol, all []Mapping, err error) {
	r := ProtocolReport{Protocol: p}
	switch {
	case err == nil:
		r.State, r.External = Mapped, all[0].External
		r.Detail = fmt.Sprintf("It mapped %s to UDP port %d.", all[0].External, all[0].Internal)
	case errors.Is(err, errNoAnswer):
		r.State, r.Detail = NoAnswer, "There was "+err.Error()+"."
	default:
		r.State, r.Detail = Refused, "The router refuses: "+err.Error()+"."
	}
	k.report.set(r)
	k.noAddress = k.noAddress || errors.Is(err, errNoAddress)
}
