package portmap

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

// Options are the settings of a Client. Only Port is required.
type Options struct {
	// Port is the UDP port to map, 1 to 65535. The same number is asked for
	// outside; the router may choose another.
	Port uint16
	// TCP maps the same number for TCP as well.
	TCP bool
	// Lifetime is what is asked for; the router may grant less or more. It is
	// renewed at half of what was granted. Default and most: 2 h, 24 h (RFC 6887
	// §15); least: 2 min.
	Lifetime time.Duration
	// Gateway returns the router's IPv4 address and ours towards it. Default:
	// those of the system's default route (Linux).
	Gateway func() (gateway, local netip.Addr, err error)
	// Verify is asked whether packets to a mapping's external address arrive,
	// after a mapping was made or changed, and again as long as it says no: an error
	// marks the mapping as Unverified and does not remove it. It has ten seconds
	// and is not called for double NAT. Nil: nothing is verified.
	Verify func(ctx context.Context, m Mapping) error
	// Secret is what the nonces that protect PCP mappings are derived from. One that
	// outlives the process lets the next one renew a mapping that a crash left
	// behind; some routers refuse to map the port to anybody else until it expires.
	// Default: random.
	Secret []byte
	// OnChange is called when Mappings or Report return something new. It must not
	// block.
	OnChange func()
	// Logger gets what happens. Default: discard.
	Logger *slog.Logger

	mappers func(gateway, local netip.Addr, secret []byte) []way // default newMappers
	release time.Duration                                        // default releaseWait
}
