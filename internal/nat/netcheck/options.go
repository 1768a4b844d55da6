package netcheck

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"

	"github.com/sightline-cam/sightline/internal/nat/portmap"
	"github.com/sightline-cam/sightline/signaling"
)

const (
	// defaultTimeout bounds a Check. It is reached only where a server answers first
	// and then goes silent.
	defaultTimeout = 15 * time.Second
	// patience is how long a server has to answer that never did: five requests.
	patience = 4 * time.Second
	// maxServers bounds the URLs that are tried, STUN and TURN apart.
	maxServers = 8
)

// Options say what to examine. The zero value examines what can be seen without
// talking to anybody.
type Options struct {
	// Servers are the STUN and TURN servers, as an agent gets them; at most 8 URLs
	// of either kind are tried.
	Servers []signaling.ICEServer
	// Signal is the URL of the signaling service, with the scheme https, http, wss
	// or ws. Default: none.
	Signal string
	// PortMap asks the router for a port, as portmap.Probe does; nil if it could
	// not. It is waited for even beyond Timeout. Default: the router is not asked.
	PortMap func(ctx context.Context) *portmap.Report
	// Net is the network. Default: the system's.
	Net transport.Net
	// Resolve returns the addresses of a host name. Default: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]net.IP, error)
	// Dial opens TCP connections, to relays and to the signaling service. Default:
	// a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is for relays and the signaling service. Default: the system's
	// certificate authorities.
	TLS *tls.Config
	// Timeout bounds the whole. Default: 15 s.
	Timeout time.Duration
}

func (o Options) withDefaults() (Options, error) {
	if o.Net == nil {
		system, err := stdnet.NewNet()
		if err != nil {
			return o, err
		}
		o.Net = system
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]net.IP, error) {
			return net.DefaultResolver.LookupIP(ctx, "ip", host)
		}
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	return o, nil
}
