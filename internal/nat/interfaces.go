package nat

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"

	"github.com/pion/transport/v4"
)

// maxAddresses bounds the addresses of this machine that are offered.
const maxAddresses = 16

// containers are bridges and cables of containers and virtual machines on this
// machine: nobody outside can use their addresses.
func containers() []string {
	return []string{"docker*", "br-????????????", "veth*", "cni*", "flannel*", "cali*", "virbr*", "lxcbr*", "lxdbr*", "podman*", "kube-*", "vmnet*", "vboxnet*", "nerdctl*"}
}

// tunnels are VPNs. Video through one takes a detour that nobody asked for, and
// whoever is in it is reached without it as a rule.
func tunnels() []string {
	return []string{"tun*", "tap*", "wg*", "tailscale*", "zt*", "utun*", "ipsec*", "nordlynx*", "nebula*", "gpd*"}
}

// Interfaces says which of this machine's addresses are offered to others.
type Interfaces struct {
	// Net is the network; nil is the system's.
	Net transport.Net
	// Only names the interfaces to use, as patterns of path.Match. Empty: all
	// but bridges of containers, and VPNs where there is anything else.
	Only []string
	// Loopback offers loopback addresses too, after all others.
	Loopback bool
}

// Addresses returns the addresses, at most 16, the best first. Link-local IPv6
// addresses are left out: without the name of an interface they mean nothing.
func (o Interfaces) Addresses() ([]netip.Addr, error) {
	list, err := o.list()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	var usual, spare, loopback []netip.Addr
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addrs {
			addr, ok := unicast(a)
			switch {
			case !ok:
			case addr.IsLoopback():
				loopback = append(loopback, addr)
			case len(o.Only) > 0:
				if matches(o.Only, i.Name) {
					usual = append(usual, addr)
				}
			case matches(containers(), i.Name):
			case matches(tunnels(), i.Name) || addr.IsLinkLocalUnicast():
				spare = append(spare, addr)
			default:
				usual = append(usual, addr)
			}
		}
	}
	if len(usual) == 0 {
		usual = spare
	}
	if o.Loopback {
		usual = append(usual, loopback...)
	}
	return usual[:min(len(usual), maxAddresses)], nil
}

func (o Interfaces) list() ([]*transport.Interface, error) {
	if o.Net != nil {
		return o.Net.Interfaces()
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	out := make([]*transport.Interface, 0, len(all))
	for _, i := range all {
		t := transport.NewInterface(i)
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			t.AddAddress(a)
		}
		out = append(out, t)
	}
	return out, nil
}

func unicast(a net.Addr) (netip.Addr, bool) {
	var ip net.IP
	switch a := a.(type) {
	case *net.IPNet:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	addr, ok := netip.AddrFromSlice(ip)
	addr = addr.Unmap()
	if !ok || addr.IsUnspecified() || addr.IsMulticast() || addr.Is6() && addr.IsLinkLocalUnicast() {
		return netip.Addr{}, false
	}
	return addr, true
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return err == nil && ok
	})
}
