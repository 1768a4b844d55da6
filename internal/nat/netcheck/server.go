package netcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/signaling"
)

// servers are those of Options.Servers, apart.
type servers struct {
	stun   []*stunServer
	relays []relayServer
}

// stunServer is a STUN URL and where it leads.
type stunServer struct {
	url, host string
	port      uint16
	addrs     []netip.AddrPort // at most one of each family
	problem   string           // why there are none
}

// relayServer is a TURN URL.
type relayServer struct {
	url, host            string
	port                 uint16
	transport            string // "udp", "tcp" or "tls"
	username, credential string
	problem              string // why the URL cannot be used
}

// parseServers reads the URLs. What is wrong with one is kept with it.
func parseServers(list []signaling.ICEServer) (s servers) {
	seen := make(map[string]bool)
	for _, server := range list {
		for _, url := range server.URLs {
			if seen[url] {
				continue
			}
			seen[url] = true
			u, err := parseURL(url)
			switch {
			case err == nil && u.relay:
				if len(s.relays) < maxServers {
					s.relays = append(s.relays, relayServer{
						url: url, host: u.host, port: u.port, transport: u.transport,
						username: server.Username, credential: server.Credential,
					})
				}
			case len(s.stun) >= maxServers:
			case err != nil:
				s.stun = append(s.stun, &stunServer{url: url, problem: err.Error()})
			default:
				s.stun = append(s.stun, &stunServer{url: url, host: u.host, port: u.port})
			}
		}
	}
	return s
}

// serverURL is what a STUN or TURN URL says (RFC 7064, RFC 7065).
type serverURL struct {
	relay     bool
	transport string // of a relay
	host      string
	port      uint16
}

// ValidateURL says what is wrong with a STUN or TURN URL; nil if nothing is.
func ValidateURL(text string) error {
	_, err := parseURL(text)
	return err
}

func parseURL(text string) (serverURL, error) {
	if err := signaling.ValidateICEURL(text); err != nil {
		return serverURL{}, errors.New("this is no address of a STUN or TURN server; write stun:HOST:PORT")
	}
	u, err := stun.ParseURI(text)
	if err != nil {
		return serverURL{}, fmt.Errorf("this is no address of a STUN or TURN server (%w); write stun:HOST:PORT", err)
	}
	if u.Port < 1 || u.Port > 65535 {
		return serverURL{}, errors.New("the port is not one; write stun:HOST:PORT with 1 to 65535")
	}
	out := serverURL{host: u.Host, port: uint16(u.Port)}
	switch {
	case u.Scheme == stun.SchemeTypeSTUN:
		return out, nil
	case u.Scheme == stun.SchemeTypeTURN && u.Proto == stun.ProtoTypeUDP:
		out.transport = "udp"
	case u.Scheme == stun.SchemeTypeTURN:
		out.transport = "tcp"
	case u.Scheme == stun.SchemeTypeTURNS && u.Proto == stun.ProtoTypeTCP:
		out.transport = "tls"
	default:
		return serverURL{}, errors.New("this way to reach a server is not supported; use stun:, turn:, or turns: over TCP")
	}
	out.relay = true
	return out, nil
}

// resolve finds the addresses of STUN servers, all at the same time.
func (c *check) resolve(ctx context.Context, list []*stunServer) []*stunServer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range list {
		if s.problem != "" {
			continue
		}
		wg.Go(func() {
			var err error
			if s.addrs, err = c.lookup(ctx, s.host, s.port); err != nil {
				s.problem = err.Error()
			}
		})
	}
	wg.Wait()
	return list
}

// lookup returns one address of each family that host has.
func (c *check) lookup(ctx context.Context, host string, port uint16) ([]netip.AddrPort, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), port)}, nil
	}
	ips, err := c.o.Resolve(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("the name %s cannot be resolved; check its spelling, and this device's DNS", host)
	}
	var out []netip.AddrPort
	for _, four := range []bool{true, false} {
		for _, b := range ips {
			if ip, ok := netip.AddrFromSlice(b); ok && ip.Unmap().Is4() == four {
				out = append(out, netip.AddrPortFrom(ip.Unmap(), port))
				break
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the name %s has no address", host)
	}
	return out, nil
}

func udpAddr(a netip.AddrPort) *net.UDPAddr { return net.UDPAddrFromAddrPort(a) }
