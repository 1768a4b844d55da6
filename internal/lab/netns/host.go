//go:build linux

package netns

import (
	"errors"
	"fmt"
	"testing"
)

// Host is a computer at a site, with one interface, eth0.
type Host struct {
	*Namespace
	// Site is where the host is plugged in.
	Site *Site
	// Address is the host's own.
	Address string
}

// Host adds a host to the site.
func (s *Site) Host(tb testing.TB) *Host {
	tb.Helper()
	h, err := s.newHost()
	if err != nil {
		tb.Fatalf("a host at a site of kind %s: %v", s.Options.Kind, err)
	}
	return h
}

func (s *Site) newHost() (*Host, error) {
	s.mu.Lock()
	number := s.hosts
	s.mu.Unlock()
	n, err := s.lab.namespace(fmt.Sprintf("host-%d-%d", s.number, number))
	if err != nil {
		return nil, err
	}
	h := &Host{Namespace: n}
	return h, h.attach(s)
}

// Move unplugs the host and plugs it in at another site, as when a phone leaves
// the house: its interface goes, and comes again with another address.
func (h *Host) Move(tb testing.TB, to *Site) {
	tb.Helper()
	if err := errors.Join(h.ip("link del eth0"), h.attach(to)); err != nil {
		tb.Fatalf("move a host: %v", err)
	}
}

func (h *Host) attach(s *Site) error {
	s.mu.Lock()
	number := s.hosts
	s.hosts++
	s.mu.Unlock()
	bridge, port := "lan", fmt.Sprintf("h-%d-%d", s.number, number)
	mask, gateway, server := "/24", "192.168.1.1", ServerAddress
	switch s.Options.Kind {
	case Open:
		bridge, mask, gateway = "internet", "/16", ServerAddress
		h.Address = fmt.Sprintf("11.0.%d.%d", 10+number, s.number)
	case IPv6Only:
		mask, gateway, server = "/64 nodad", s.ipv6(1), ServerAddressIPv6
		h.Address = s.ipv6(16 + number)
	default:
		h.Address = fmt.Sprintf("192.168.1.%d", 10+number)
	}
	h.Site = s
	if err := s.lab.plug(h.Namespace, "eth0", s.lan, bridge, port); err != nil {
		return err
	}
	return errors.Join(h.resolve(server),
		h.ip("addr add "+h.Address+mask+" dev eth0", "link set eth0 up", "route add default via "+gateway))
}
