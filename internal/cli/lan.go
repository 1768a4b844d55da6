package cli

import (
	"context"
	"net/netip"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/discovery"
)

// joinLAN gives the agent its own network: it tells where it is, and learns the
// addresses behind the names in browsers' candidates. run does so until ctx ends,
// and close ends it for good. An agent that only this machine can reach tells and
// asks nothing.
func (pub *Publication) joinLAN(o *agent.Options) (run func(context.Context), close func() error) {
	s := discovery.Service{Peer: o.Identity.PeerID(), TLS: pub.Certificate != nil}
	if a, err := netip.ParseAddrPort(o.Listener.Addr().String()); err == nil && !a.Addr().Unmap().IsLoopback() {
		s.Port = a.Port()
	}
	media := !o.Open && !config.LoopbackAddress(o.UDP)
	if pub.NoMDNS || s.Port == 0 && !media {
		return func(context.Context) {}, func() error { return nil }
	}
	log := o.Logger.With("part", "discovery")
	lan := discovery.New(discovery.Options{Interfaces: o.Interfaces, Logger: log})
	udp := make(chan uint16, 1)
	o.Resolve, o.OnUDP = lan.Resolve, func(port uint16) { udp <- port }
	run = func(ctx context.Context) {
		select {
		case port := <-udp:
			if media {
				s.UDP = port
			}
		case <-ctx.Done():
			return
		}
		if err := lan.Advertise(ctx, s); err != nil {
			log.Warn("viewers in this network will not find this agent without a signaling server", "error", err)
		}
	}
	return run, lan.Close
}
