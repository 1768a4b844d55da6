package portmap

import (
	"context"
	"net/netip"
	"time"
)

// mapper speaks one protocol with one router. Its methods are called from one
// goroutine.
type mapper interface {
	// request makes a mapping, or renews it: the same request again changes
	// nothing, and makes it anew if the router forgot it. An error is errNoAnswer,
	// or else the router's refusal.
	request(ctx context.Context, w wish) (grant, error)
	// release takes a mapping back.
	release(ctx context.Context, transport string, g grant) error
}

// wish is what a mapper asks for.
type wish struct {
	transport string
	port      uint16
	external  netip.AddrPort // what was granted before; zero: nothing yet
	lifetime  time.Duration
}

// suggestedPort is the external port to ask for.
func (w wish) suggestedPort() uint16 {
	if p := w.external.Port(); p != 0 {
		return p
	}
	return w.port
}

// grant is what a router gave.
type grant struct {
	external netip.AddrPort
	internal uint16
	lifetime time.Duration // 0: without an end
	// restarted says that the router lost what it knew since the last answer:
	// this mapping is a new one, and others are gone.
	restarted bool
}

// maxLifetime is the longest lifetime that is believed (RFC 6887 §15).
const maxLifetime = 24 * time.Hour

// newGrant checks what a router says it gave.
func newGrant(internal uint16, external netip.AddrPort, lifetimeSeconds uint32) (grant, error) {
	external = netip.AddrPortFrom(external.Addr().Unmap(), external.Port())
	switch {
	case external.Addr().IsUnspecified():
		return grant{}, errNoAddress
	case !isExternal(external.Addr()):
		return grant{}, refused("its external address is %s, which cannot be", external.Addr())
	case external.Port() == 0:
		return grant{}, refused("it mapped port 0, which is none")
	case lifetimeSeconds == 0:
		return grant{}, refused("it granted a mapping for no time")
	}
	return grant{external: external, internal: internal, lifetime: min(time.Duration(lifetimeSeconds)*time.Second, maxLifetime)}, nil
}
