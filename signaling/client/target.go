package client

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sightline-cam/sightline/signaling"
)

// target is where a client dials.
type target struct {
	url  string // ws or wss, with the path
	host string // canonical, as signed in the registration
}

// parseTarget reads Options.URL.
func parseTarget(raw string, allowPlaintext bool) (target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("signaling URL: %w", withoutURL(err))
	}
	switch u.Scheme {
	case "wss", "ws":
	case "https":
		u.Scheme = "wss"
	case "http":
		u.Scheme = "ws"
	default:
		return target{}, fmt.Errorf("signaling URL: give wss://host, not the scheme %q", u.Scheme)
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return target{}, fmt.Errorf("signaling URL: no host in it; give wss://host")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return target{}, fmt.Errorf("signaling URL for %s: leave out user, query and fragment", u.Host)
	}
	if u.Scheme == "ws" && !allowPlaintext && !isLoopback(u.Hostname()) {
		return target{}, fmt.Errorf("signaling URL for %s: ws:// shows everyone on the way who talks to whom; "+
			"use wss://%s, or allow plaintext explicitly", u.Host, u.Host)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = signaling.Path
	}
	return target{url: u.String(), host: signaling.CanonicalHost(u.Host)}, nil
}

func isLoopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
