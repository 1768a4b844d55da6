package tlsfile

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Names are host names and literal IP addresses.
type Names struct {
	// Required must be in a certificate; one that lacks any is replaced.
	Required []string
	// Also are put into a certificate when it is made.
	Also []string
}

// maxNames bounds the addresses of each kind in a certificate.
const maxNames = 32

// MachineNames returns the names of this machine: localhost, its host name,
// that name in the local network (RFC 6762), and its addresses. IPv6 addresses
// change every day on many machines, nobody types them, and every new
// certificate makes browsers ask: they are required only where there are no
// others.
func MachineNames() Names {
	host, _ := os.Hostname() // without one the addresses are left
	addrs, _ := net.InterfaceAddrs()
	return machineNames(host, addrs)
}

func machineNames(host string, addrs []net.Addr) Names {
	names := Names{Required: []string{"localhost", "127.0.0.1"}, Also: []string{"::1"}}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if hostName(host) && host != "localhost" {
		short, _, _ := strings.Cut(host, ".")
		names.Required = append(names.Required, host)
		if local := short + ".local"; local != host {
			names.Required = append(names.Required, local)
		}
	}
	v4, v6 := addresses(addrs)
	if len(v4) == 0 {
		names.Required = append(names.Required, v6...)
		return names
	}
	names.Required = append(names.Required, v4...)
	names.Also = append(names.Also, v6...)
	return names
}

// hostName reports whether s is a name that a certificate may have: RFC 1123
// §2.1, in lower case.
func hostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(label, "-") != label {
			return false
		}
	}
	return len(s) <= 253
}

// addresses returns the addresses that others may reach this machine by.
func addresses(addrs []net.Addr) (v4, v6 []string) {
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		ip = ip.Unmap()
		switch {
		case !ok || ip.IsLoopback() || ip.IsMulticast() || ip.IsUnspecified():
		case ip.Is4():
			v4 = append(v4, ip.String())
		case !ip.IsLinkLocalUnicast(): // a browser cannot name its zone
			v6 = append(v6, ip.String())
		}
	}
	slices.Sort(v4)
	slices.Sort(v6)
	return v4[:min(len(v4), maxNames)], v6[:min(len(v6), maxNames)]
}
