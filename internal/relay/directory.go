package relay

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// defaultTTL is how long a credential lasts: longer than anybody watches without
// a new session.
const defaultTTL = 12 * time.Hour

// Directory is what a signaling server tells of STUN and TURN servers, as its
// interface ICE wants. Constant once in use.
type Directory struct {
	// Host is the name or address ("[…]" for IPv6) of our own servers, if it is
	// not the one by which clients reach the signaling server.
	Host string
	// Fallback takes the place of a loopback name, by which an agent on this very
	// machine comes: nobody else could use that.
	Fallback netip.Addr
	// Ports are those of our own STUN server at that host, none without one.
	Ports []uint16
	// Alternates are further addresses of it, by which a client sees whether its
	// NAT changes the port for every destination.
	Alternates []netip.AddrPort
	// Relays are the ways to our own relay.
	Relays []Endpoint
	// STUNURLs and TURNURLs are servers that somebody else runs.
	STUNURLs, TURNURLs []string
	// Agents may use the relay. Nil: there is none.
	Agents *Agents
	// Secret is what the relay shares, ours or somebody else's.
	Secret Secret
	// TTL is how long a credential lasts. Default 12 h.
	TTL time.Duration
}

// Endpoint is a way to our own relay.
type Endpoint struct {
	Port uint16
	TCP  bool // or UDP
	TLS  bool // over TCP
}

// STUN returns the URLs of STUN servers, at most signaling.MaxICEURLs.
func (d *Directory) STUN(host string) []string {
	urls := slices.Clone(d.STUNURLs)
	if len(d.Ports) > 0 {
		if host = d.host(host); host == "" {
			return limited(urls)
		}
		urls = append(urls, stunURL(host, d.Ports[0]))
		for _, a := range d.Alternates {
			urls = append(urls, "stun:"+a.String())
		}
		if len(d.Alternates) == 0 && len(d.Ports) > 1 {
			urls = append(urls, stunURL(host, d.Ports[1]))
		}
	}
	return limited(urls)
}

func stunURL(host string, port uint16) string {
	return "stun:" + host + ":" + strconv.Itoa(int(port))
}

// MayRelay reports whether an agent may ask for a relay.
func (d *Directory) MayRelay(agent identity.PeerID) bool {
	return d.Agents != nil && d.Agents.Enrolled(agent)
}

// Relay returns a relay with a credential for one session of an agent.
func (d *Directory) Relay(now time.Time, agent identity.PeerID, host string) (signaling.ICEServer, signaling.ErrorCode) {
	urls := slices.Clone(d.TURNURLs)
	if host = d.host(host); host != "" {
		for _, r := range d.Relays {
			urls = append(urls, r.url(host))
		}
	}
	switch {
	case d.Agents == nil || len(urls) == 0:
		return signaling.ICEServer{}, signaling.CodeUnsupported
	case !d.Agents.Enrolled(agent):
		return signaling.ICEServer{}, signaling.CodeForbidden
	}
	ttl := d.TTL
	if ttl <= 0 {
		ttl = defaultTTL
	}
	return d.Secret.Credential(limited(urls), agent, now.Add(ttl)), ""
}

// url returns a way as RFC 7065 writes it.
func (e Endpoint) url(host string) string {
	scheme, transport := "turn:", "udp"
	if e.TCP {
		transport = "tcp"
	}
	if e.TLS {
		scheme, transport = "turns:", "tcp"
	}
	return scheme + host + ":" + strconv.Itoa(int(e.Port)) + "?transport=" + transport
}

func limited(urls []string) []string { return urls[:min(len(urls), signaling.MaxICEURLs)] }

// host returns where our own servers are reached by somebody who dialled
// dialled, "" if there is no way to know.
func (d *Directory) host(dialled string) string {
	switch {
	case d.Host != "":
		return d.Host
	case !isLoopback(dialled):
		return dialled
	case !d.Fallback.IsValid() || d.Fallback.IsUnspecified():
		return ""
	}
	return URLHost(d.Fallback)
}

// URLHost writes an address as a URL has it.
func URLHost(ip netip.Addr) string {
	if ip.Is6() {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}

// isLoopback reports whether a host of a URL is this machine by its nature.
func isLoopback(host string) bool {
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}
