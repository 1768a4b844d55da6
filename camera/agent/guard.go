package agent

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard keeps web pages of other origins away from the own listener, where a
// browser on this machine would carry their requests past every firewall.
// Constant.
type guard struct {
	hosts []string // allowed names, lower case, without port
}

func newGuard(hosts []string) *guard {
	g := &guard{hosts: []string{"localhost"}}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.TrimSuffix(h, ".")))
	}
	return g
}

// host refuses a request for a name that is not ours: that is what DNS
// rebinding looks like. An address is no name, and cannot be rebound.
func (g *guard) host(r *http.Request) *apiError {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(strings.ToLower(strings.TrimSuffix(host, ".")), "[]")
	if _, err := netip.ParseAddr(host); err == nil || slices.Contains(g.hosts, host) {
		return nil
	}
	return fail(http.StatusMisdirectedRequest, "wrong_host",
		"This agent is not known by that host name. Use its IP address, or allow the name with --allowed-host.")
}

// origin refuses a request that a page of another origin makes (Fetch
// standard, Origin and Sec-Fetch-Site). Programs send neither header.
func (g *guard) origin(r *http.Request) *apiError {
	refused := fail(http.StatusForbidden, "wrong_origin", "Pages of other origins may not use this agent.")
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return refused
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return nil
	}
	u, err := url.Parse(origins[0])
	if len(origins) > 1 || err != nil || !strings.EqualFold(u.Host, r.Host) || u.Scheme != scheme(r) {
		return refused
	}
	return nil
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
