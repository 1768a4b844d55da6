package netcheck

import (
	"context"
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
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := two.Do(short, seen.to, stun.BindingRequest)
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
	pause := time.NewTicker(hairpinPause)
	defer pause.Stop()
	for range hairpinRounds {
		_ = one.write(request.Raw, mapped) // what does not go out does not come in
		_ = two.write(request.Raw, seen.mapped)
		select {
		case <-one.heard:
			return Yes
		case <-two.heard:
			return Yes
		case <-pause.C:
		case <-ctx.Done():
			return Undecided
		}
	}
	return No
}
