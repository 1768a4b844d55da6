package client

import (
	"net"
	"net/netip"
	"strings"
)

// admitted returns those of a server's STUN and TURN URLs that this client lets
// itself be sent to. A server out in the world has no business to name addresses
// in the client's own network, which it could make the client knock at.
func (c *Client) admitted(urls []string) []string {
	var out []string
	for _, u := range urls {
		if c.target.admits(u) {
			out = append(out, u)
			continue
		}
		if !c.refusedURL.Swap(true) {
			c.log.Debug("the signaling server names a STUN server or relay in a private network; left out", "server", c.target.host, "url", u)
		}
	}
	return out
}

// admits reports whether the server may name a STUN or TURN URL. One that is
// itself in a private network, or on this machine, may name the others there.
func (t target) admits(u string) bool {
	_, host, _ := strings.Cut(u, ":")
	host, _, _ = strings.Cut(host, "?")
	host = hostname(host)
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:") != "" {
		return false // nothing that two readers could read in two ways
	}
	ip, err := netip.ParseAddr(host)
	switch ip = ip.Unmap(); {
	case err != nil && lastIsNumber(host):
		return false // "127.1", which some resolvers take for an address
	case err != nil && isLoopback(host):
		return t.isLocal()
	case err != nil:
		return true
	case ip.IsUnspecified() || ip.IsMulticast():
		return false
	}
	return !isLocalIP(ip) || t.isLocal()
}

// isLocal reports whether the server is on this machine or in its network: by its
// address, or by a name that nobody elsewhere has.
func (t target) isLocal() bool {
	host := hostname(t.host)
	if ip, err := netip.ParseAddr(host); err == nil {
		return isLocalIP(ip.Unmap())
	}
	return isLoopback(host) || strings.HasSuffix(host, ".local") || !strings.Contains(host, ".")
}

func isLocalIP(ip netip.Addr) bool {
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
}

// hostname is the host of "host", "host:port", "[ip]" and "[ip]:port".
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

func lastIsNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "" || last[0] >= '0' && last[0] <= '9'
}
