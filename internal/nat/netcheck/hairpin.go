package netcheck

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

const (
	// hairpinRounds and hairpinPause: both sides send, as two peers do, since the
	// first packet of one may come before the other has opened the router's port.
	hairpinRounds = 4
	hairpinPause  = 250 * time.Millisecond
)

// hairpin finds out whether two sockets behind the router reach each other by
// their public addresses (RFC 5780 §4.5).
func (c *check) hairpin(ctx context.Context, network string, one *socket, seen observation) Answer {
	two, err := c.listen(network)
	if err != nil {
		return Undecided
	}
	defer two.close()
	res, err := two.Do(ctx, seen.to, stun.BindingRequest)
	if err != nil {
		return Undecided
	}
	mapped, err := nat.MappedAddress(res.Message)
	if err != nil {
		return Undecided
	}
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return Undecided
	}
	one.awaited.Store(&request.TransactionID)
	two.awaited.Store(&request.TransactionID)
	for range hairpinRounds {
		_ = one.write(request.Raw, mapped) // what does not go out does not come in
		_ = two.write(request.Raw, seen.mapped)
		timer := time.NewTimer(hairpinPause)
		select {
		case <-one.heard:
		case <-two.heard:
		case <-timer.C:
		}
		timer.Stop()
		answered := bothAnswered(ctx, one, two, seen.to)
		switch {
		case heard(one, two):
			return Yes
		case !answered:
			return Undecided
		}
	}
	return No
}

// heard reports whether one of two sockets has heard what it awaits.
func heard(one, two *socket) bool {
	select {
	case <-one.heard:
	case <-two.heard:
	default:
		return false
	}
	return true
}

// bothAnswered asks a server from both sockets, and reports whether it answered
// both: what was sent to them before has arrived by then.
func bothAnswered(ctx context.Context, one, two *socket, server netip.AddrPort) bool {
	var failed [2]error
	var wg sync.WaitGroup
	for i, s := range []*socket{one, two} {
		wg.Go(func() { _, failed[i] = s.Do(ctx, server, stun.BindingRequest) })
	}
	wg.Wait()
	return errors.Join(failed[:]...) == nil
}
