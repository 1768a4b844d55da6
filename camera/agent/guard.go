package agent

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
)

// errForeign is behind what guard refuses.
var errForeign = errors.New("a request for another host, or by a page of another origin")

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
	_, err := netip.ParseAddr(host)
	ours := err == nil || slices.Contains(g.hosts, host)
	if !check.Off(check.Host) && !ours {
		return fail(http.StatusMisdirectedRequest, "wrong_host",
			"This agent is not known by that host name. Use its IP address, or allow the name with --allowed-host.").
			because(check.Refused(check.Host, errForeign))
	}
	return nil
}

// origin refuses a request that a page of another origin makes.
func (g *guard) origin(r *http.Request) *apiError {
	if !check.Off(check.Origin) && !ownOrigin(r) {
		return fail(http.StatusForbidden, "wrong_origin", "Pages of other origins may not use this agent.").
			because(check.Refused(check.Origin, errForeign))
	}
	return nil
}

// ownOrigin reads the Fetch standard's Origin and Sec-Fetch-Site. Programs send
// neither header.
func ownOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return len(origins) == 1 && err == nil && strings.EqualFold(u.Host, r.Host) && u.Scheme == scheme(r)
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
