package relay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
)

// The dynamic ports (RFC 6335 §6), which RFC 8656 §7.2 recommends for relays.
const (
	defaultMinPort = 49152
	defaultMaxPort = 65535
)

// Options configure a Server.
type Options struct {
	// Sockets answer STUN, and TURN if there is one. At least one, or a listener
	// of TURN's. The server closes them.
	Sockets []Socket
	// TURN is the relay. Nil: STUN only.
	TURN *TURN
	// Limits bound what is done for others. The zero value has defaults.
	Limits Limits
	// Logger receives what an operator wants to know: never a credential. Nil
	// discards.
	Logger *slog.Logger
	// Registry takes the metrics. Nil: they are kept to nobody's use.
	Registry prometheus.Registerer
}

// Socket is a UDP socket.
type Socket struct {
	Conn net.PacketConn
	// Public is where clients see the socket, if a NAT one to one is before it.
	// Zero: where it is bound. Two sockets at one address let clients examine
	// their NAT by two ports; four, two ports at each of two addresses, let them
	// examine it as RFC 5780 wants.
	Public netip.AddrPort
}

// TURN configures the relay of a Server.
type TURN struct {
	// Secret checks the credentials, Agents says whose count.
	Secret Secret
	Agents *Agents
	// Relays are the addresses at which relays are opened, one of a family.
	Relays []Address
	// Listeners are TCP sockets that speak TURN. The server closes them.
	Listeners []Listener
	// Allow are networks that are relayed to although they are not public.
	Allow []netip.Prefix
	// Own lists this machine's addresses, with the lengths of their networks. Like
	// those above, they are relayed to at the ports of relays only, and broadcast
	// addresses not at all. It is called now and then, as addresses come and go.
	// Nil: there are no others.
	Own func() ([]netip.Prefix, error)
	// MinPort and MaxPort bound the ports of relays. Defaults 49152 and 65535.
	MinPort, MaxPort uint16
	// Realm is what clients are told; it has no meaning. Default "sightline".
	Realm string
	// Listen opens a relay's socket: network "udp4" or "udp6". Nil: the system's.
	Listen func(network, address string) (net.PacketConn, error)
}

// Address is an address at which relays are opened.
type Address struct {
	Listen netip.Addr // of this machine
	Public netip.Addr // as the world sees it. Zero: the same
}

// Listener is a TCP socket, over which TLS is spoken if TLS is not nil.
type Listener struct {
	net.Listener
	TLS *tls.Config
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	o.Limits.setDefaults()
	if t := o.TURN; t != nil {
		if t.MinPort == 0 {
			t.MinPort = defaultMinPort
		}
		if t.MaxPort == 0 {
			t.MaxPort = defaultMaxPort
		}
		if t.Realm == "" {
			t.Realm = "sightline"
		}
		if t.Listen == nil {
			t.Listen = listenUDP
		}
		for i, r := range t.Relays {
			if !r.Public.IsValid() {
				t.Relays[i].Public = r.Listen
			}
		}
	}
}

func (o *Options) validate() error {
	t := o.TURN
	if t == nil {
		if len(o.Sockets) == 0 {
			return errors.New("relay: no socket given")
		}
		return nil
	}
	switch {
	case len(o.Sockets)+len(t.Listeners) == 0:
		return errors.New("relay: no socket given")
	case t.Secret.text == "" || t.Agents == nil:
		return errors.New("relay: a relay needs a secret, and the agents that may use it")
	case t.MinPort > t.MaxPort:
		return fmt.Errorf("relay: ports from %d to %d are none", t.MinPort, t.MaxPort)
	case len(t.Relays) == 0:
		return errors.New("relay: no address to relay from")
	}
	families := map[bool]bool{}
	for _, r := range t.Relays {
		if !r.Listen.IsValid() || r.Listen.IsUnspecified() || r.Listen.Is4() != r.Public.Is4() || families[r.Listen.Is4()] {
			return fmt.Errorf("relay: relays are opened at one IPv4 address and one IPv6 address; %s is not one of them", r.Listen)
		}
		families[r.Listen.Is4()] = true
	}
	return nil
}
