package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sightline-cam/sightline/signaling"
)

// hosts decides which names this server answers to, and whose pages may talk to
// it. Constant after construction.
type hosts struct {
	names   map[string]bool // "name" or "name:port", canonical
	local   bool            // loopback and the local address, beside names
	origins map[string]bool // "scheme://host", canonical
}

func newHosts(names, origins []string, local bool) (*hosts, error) {
	h := &hosts{names: make(map[string]bool), origins: make(map[string]bool), local: local || len(names) == 0}
	for _, n := range names {
		name, _ := splitHost(signaling.CanonicalHost(n))
		if name == "" || strings.ContainsAny(n, "/*@ ") {
			return nil, fmt.Errorf("allowed host %q: give a name or name:port, without wildcards", n)
		}
		h.names[signaling.CanonicalHost(n)] = true
	}
	for _, o := range origins {
		canonical, ok := canonicalOrigin(o)
		if !ok {
			return nil, fmt.Errorf("allowed origin %q: give https://name or https://name:port", o)
		}
		h.origins[canonical] = true
	}
	return h, nil
}

// host reports whether the request names this server.
func (h *hosts) host(r *http.Request) bool {
	host := signaling.CanonicalHost(r.Host)
	name, _ := splitHost(host)
	if name == "" || len(r.Host) > signaling.MaxHost {
		return false
	}
	if named := h.names[host] || h.names[name]; named || !h.local {
		return named
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	// An address in Host cannot come from a rebound name: the browser would
	// have sent the name.
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	if err != nil {
		return false
	}
	return addr.IsLoopback() || addr.Unmap() == localAddr(r)
}

func localAddr(r *http.Request) netip.Addr {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap().WithZone("")
}

// origin reports whether the page that made the request may: programs send no
// Origin, the server's own pages send its own.
func (h *hosts) origin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	origin, ok := canonicalOrigin(values[0])
	if !ok {
		return false // "null" too
	}
	if h.origins[origin] {
		return true
	}
	scheme, host, _ := strings.Cut(origin, "://")
	if r.TLS != nil && scheme != "https" {
		return false
	}
	return host == signaling.CanonicalHost(r.Host)
}

func canonicalOrigin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return "", false
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return u.Scheme + "://" + signaling.CanonicalHost(u.Host), true
}

// splitHost takes the port off a host. The name keeps its brackets.
func splitHost(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, ""
	}
	return strings.TrimSuffix(host[:i], "."), host[i+1:]
}
