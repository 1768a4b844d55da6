package netcheck

import (
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

func TestClassifyMapping_SaysWhatIsProven(t *testing.T) {
	const a1, a2, b1, b2 = "198.51.100.1:3478", "198.51.100.1:3479", "198.51.100.2:3478", "198.51.100.2:3479"
	const one, two, three = "203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3"
	for _, tt := range []struct {
		name string
		seen [][2]string
		kind Dependency
		sure bool
	}{
		{"one answer", [][2]string{{a1, one}}, Unknown, false},
		{"the same server twice", [][2]string{{a1, one}, {a1, one}}, Unknown, false},
		{"all the same", [][2]string{{a1, one}, {a2, one}, {b1, one}, {b2, one}}, EndpointIndependent, true},
		{"two plain servers, the same", [][2]string{{a1, one}, {b1, one}}, EndpointIndependent, true},
		{"two ports, the same", [][2]string{{a1, one}, {a2, one}}, EndpointIndependent, false},
		{"two ports, different", [][2]string{{a1, one}, {a2, two}}, AddressAndPortDependent, true},
		{"by address", [][2]string{{a1, one}, {a2, one}, {b1, two}, {b2, two}}, AddressDependent, true},
		{"by address and port", [][2]string{{a1, one}, {b1, two}, {b2, three}}, AddressAndPortDependent, true},
		{"two plain servers, different", [][2]string{{a1, one}, {b1, two}}, AddressAndPortDependent, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen []observation
			for _, s := range tt.seen {
				seen = append(seen, observation{netip.MustParseAddrPort(s[0]), netip.MustParseAddrPort(s[1])})
			}
			got := classifyMapping(seen)
			if got.Kind != tt.kind || got.Certain != tt.sure || got.Certain != (got.Reason == "") {
				t.Errorf("it is %+v, not %s (certain: %v)", got, tt.kind, tt.sure)
			}
		})
	}
}

func TestClassifyFiltering_SaysWhatIsProven(t *testing.T) {
	for _, tt := range []struct {
		name       string
		twoHosts   bool
		both, port reply
		kind       Dependency
		sure       bool
	}{
		{"everybody", true, came, came, EndpointIndependent, true},
		{"everybody, port answer lost", true, came, silent, EndpointIndependent, true},
		{"by address", true, silent, came, AddressDependent, true},
		{"by address and port", true, silent, silent, AddressAndPortDependent, true},
		{"one address, came", false, silent, came, AddressDependent, false},
		{"one address, silent", false, silent, silent, AddressAndPortDependent, true},
		{"the server does not do it", true, refused, refused, Unknown, false},
		{"the server ignores it", true, elsewhere, elsewhere, Unknown, false},
		{"no time", true, broken, silent, Unknown, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := classifyFiltering(tt.twoHosts, tt.both, tt.port)
			if got.Kind != tt.kind || got.Certain != tt.sure || got.Certain != (got.Reason == "") {
				t.Errorf("it is %+v, not %s (certain: %v)", got, tt.kind, tt.sure)
			}
		})
	}
}

// A server must not make us send to whom it likes.
func TestOtherAddress_IsOfTheServersOwnKind(t *testing.T) {
	for _, tt := range []struct {
		server, other string
		ok            bool
	}{
		{"198.51.100.1:3478", "198.51.100.2:3479", true},
		{"198.51.100.1:3478", "198.51.100.1:3479", true},
		{"198.51.100.1:3478", "198.51.100.2:3478", false}, // RFC 5780: both differ, or the port alone
		{"198.51.100.1:3478", "192.168.1.1:3479", false},
		{"198.51.100.1:3478", "100.64.0.1:3479", false},
		{"198.51.100.1:3478", "127.0.0.1:3479", false},
		{"198.51.100.1:3478", "224.0.0.1:3479", false},
		{"198.51.100.1:3478", "255.255.255.255:3479", false},
		{"198.51.100.1:3478", "0.0.0.0:3479", false},
		{"198.51.100.1:3478", "169.254.0.1:3479", false},
		{"198.51.100.1:3478", "[2001:db8::1]:3479", false},
		{"127.0.0.1:3478", "127.0.0.2:3479", true},
		{"192.168.1.1:3478", "192.168.1.2:3479", true},
		{"[2001:db8::1]:3478", "[2001:db8::2]:3479", true},
		{"[2001:db8::1]:3478", "[fd00::2]:3479", false},
		{"[2001:db8::1]:3478", "[fe80::2]:3479", false},
	} {
		other := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(tt.other))
		m := stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.OtherAddress{IP: other.IP, Port: other.Port})
		got := otherAddress(m, netip.MustParseAddrPort(tt.server))
		if got.IsValid() != tt.ok || tt.ok && got.String() != tt.other {
			t.Errorf("a server at %s names %s: taken as %v", tt.server, tt.other, got)
		}
	}
}
