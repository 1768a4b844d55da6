package portmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	natpmp "github.com/jackpal/go-nat-pmp"
)

// natPMPWait bounds a call of the library, which no context can end.
const natPMPWait = time.Second

// natPMP speaks the NAT Port Mapping Protocol, RFC 6886. Its server's port cannot be
// chosen: it is controlPort.
type natPMP struct {
	gateway, local netip.Addr
	wait           time.Duration // natPMPWait, for one call
	epoch          epoch
}

func (n *natPMP) request(ctx context.Context, w wish) (grant, error) {
	client, err := n.client(ctx)
	if err != nil {
		return grant{}, err
	}
	outside, err := client.GetExternalAddress()
	if err != nil {
		return grant{}, natPMPProblem(err)
	}
	restarted := n.epoch.update(outside.SecondsSinceStartOfEpoc, time.Now())
	if client, err = n.client(ctx); err != nil {
		return grant{}, err
	}
	given, err := client.AddPortMapping(w.transport, int(w.port), int(w.suggestedPort()), int(w.lifetime/time.Second))
	if err != nil {
		return grant{}, natPMPProblem(err)
	}
	restarted = n.epoch.update(given.SecondsSinceStartOfEpoc, time.Now()) || restarted
	if given.InternalPort != w.port {
		return grant{}, refused("it answered for port %d, which nobody asked for", given.InternalPort)
	}
	g, err := newGrant(w.port, netip.AddrPortFrom(netip.AddrFrom4(outside.ExternalIPAddress), given.MappedExternalPort), given.PortMappingLifetimeInSeconds)
	g.restarted = restarted
	return g, err
}

// release asks for the mapping with a lifetime of 0: §3.4.
func (n *natPMP) release(ctx context.Context, transport string, g grant) error {
	client, err := n.client(ctx)
	if err != nil {
		return err
	}
	if _, err := client.AddPortMapping(transport, int(g.internal), 0, 0); err != nil {
		return natPMPProblem(err)
	}
	return nil
}

// client makes a client for one call: for as long as it may take, and not beyond ctx.
func (n *natPMP) client(ctx context.Context) (*natpmp.Client, error) {
	wait := n.wait
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	if ctx.Err() != nil || wait <= 0 {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, context.Cause(ctx))
	}
	return natpmp.NewClientWithLocalAndTimeout(n.gateway.AsSlice(), n.local.AsSlice(), wait), nil
}

// natPMPProblem tells silence from a refusal. The library has no errors of its
// own for them, only these texts.
func natPMPProblem(err error) error {
	var network net.Error
	if errors.As(err, &network) || strings.HasPrefix(err.Error(), "Timed out") {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if strings.Contains(err.Error(), "result code 3 ") { // RFC 6886 §3.5: network failure
		return errNoAddress
	}
	return refused("it answers: %s", clip(err.Error()))
}
