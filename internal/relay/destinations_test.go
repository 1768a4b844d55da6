package relay

import (
	"net/netip"
	"testing"
)

func TestDestinations_ArePublicOrAllowed(t *testing.T) {
	d := &destinations{
		allowed: []netip.Prefix{prefix("10.7.0.0/16"), prefix("fd00:7::/32")},
		own:     map[netip.Addr]bool{netip.MustParseAddr("203.0.113.1"): true, netip.MustParseAddr("10.0.0.1"): true},
	}
	for ip, want := range map[string]bool{
		"8.8.8.8": true, "203.0.113.9": true, "198.51.100.1": true, "192.0.2.1": true, "2001:db8::1": true, "2606:4700::1": true,
		"::ffff:8.8.8.8": true, "10.7.1.1": true, "::ffff:10.7.1.1": true, "fd00:7::1": true,
		"203.0.113.1": true, "10.0.0.1": true, // its own, at the ports of relays

		"0.0.0.0": false, "0.1.2.3": false, "10.1.1.1": false, "100.64.0.1": false, "100.127.255.255": false, "127.0.0.1": false,
		"127.255.255.255": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.0.1": false,
		"192.0.0.8": false, "192.88.99.1": false, "198.18.0.1": false, "224.0.0.1": false, "239.255.255.250": false,
		"240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "2606:4700::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.7": false, "::127.0.0.1": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::10.0.0.1": false, "64:ff9b:1::1": false, "2002:7f00:1::1": false, "2001::1": false, "100::1": false,
	} {
		if got := d.address(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
	if !d.relaysOnly(netip.MustParseAddr("203.0.113.1")) || d.relaysOnly(netip.MustParseAddr("203.0.113.2")) {
		t.Error("own addresses")
	}
}
