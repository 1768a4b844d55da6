package config

import (
	"net/netip"
	"path"
	"strings"
)

// Network says how viewers reach the agent through routers.
type Network struct {
	// STUN are servers that tell how this machine looks from outside,
	// "stun:host:port", at most 4, beside those of the signaling server.
	STUN []string `yaml:"stun"`
	// NoPortMap leaves the router alone, instead of asking it to let viewers in.
	NoPortMap bool `yaml:"noPortMap"`
	// NoTCP listens at no TCP port for viewers whose network blocks UDP.
	NoTCP bool `yaml:"noTCP"`
	// NoMDNS says and asks nothing in the agent's own network by multicast DNS.
	// Nothing is said anyway if everything listens on loopback.
	NoMDNS bool `yaml:"noMDNS"`
	// External are addresses, IP:port, that a router forwards to the UDP port
	// because somebody configured it so.
	External []string `yaml:"external"`
	// Interfaces names those whose addresses are offered: "eth0", "wl*". Default:
	// all but bridges of containers, and VPNs where there is anything else.
	Interfaces []string `yaml:"interfaces"`
}

// maxNetworkEntries bounds each list of a Network.
const maxNetworkEntries = 16

// Addresses returns External, which Complete has checked.
func (n *Network) Addresses() (out []netip.AddrPort) {
	for _, text := range n.External {
		if a, err := netip.ParseAddrPort(text); err == nil {
			out = append(out, a)
		}
	}
	return out
}

func (k *check) network() {
	n := &k.c.Network
	if len(n.STUN) > 4 {
		k.bad("network.stun", "there are %d STUN servers; 4 are enough", len(n.STUN))
	}
	for _, u := range n.STUN {
		if host, ok := strings.CutPrefix(u, "stun:"); !ok || host == "" || strings.ContainsAny(host, "/?# ") {
			k.bad("network.stun", "%q is no STUN server; write stun:HOST:PORT", u)
		}
	}
	if len(n.External) > maxNetworkEntries || len(n.Interfaces) > maxNetworkEntries {
		k.bad("network", "a list has more than %d entries", maxNetworkEntries)
	}
	for _, text := range n.External {
		a, err := netip.ParseAddrPort(text)
		if err != nil || a.Port() == 0 || a.Addr().IsUnspecified() || a.Addr().IsMulticast() {
			k.bad("network.external", "%q is no address with a port; write what the router forwards, for example 203.0.113.7:40000", text)
		}
	}
	for _, p := range n.Interfaces {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			k.bad("network.interfaces", "%q is no interface name or pattern; write eth0 or wl*", p)
		}
	}
}
