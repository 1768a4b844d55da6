package netcheck

import (
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

func TestClassifyMapping_SaysWhatIsProven(t *testing.T) {
	const a1, a2, b1, b2 = "198.51.100.1:3478", "198.51.100.1:3479", "198.51.100.2:3478", "198.51.100.2:3479"
	const one, two, three = "203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3"
	for _, tt := range []struct {
		name string
		seen [][2]string
		kind nat.Behaviour
		sure bool
	}{
		{"one answer", [][2]string{{a1, one}}, nat.BehaviourUnknown, false},
		{"the same server twice", [][2]string{{a1, one}, {a1, one}}, nat.BehaviourUnknown, false},
		{"all the same", [][2]string{{a1, one}, {a2, one}, {b1, one}, {b2, one}}, nat.EndpointIndependent, true},
		{"two plain servers, the same", [][2]string{{a1, one}, {b1, one}}, nat.EndpointIndependent, true},
		{"two ports, the same", [][2]string{{a1, one}, {a2, one}}, nat.EndpointIndependent, false},
		{"two ports, different", [][2]string{{a1, one}, {a2, two}}, nat.AddressPortDependent, true},
		{"by address", [][2]string{{a1, one}, {a2, one}, {b1, two}, {b2, two}}, nat.AddressDependent, true},
		{"by address and port", [][2]string{{a1, one}, {b1, two}, {b2, three}}, nat.AddressPortDependent, true},
		{"two plain servers, different", [][2]string{{a1, one}, {b1, two}}, nat.AddressPortDependent, false},
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
		kind       nat.Behaviour
		sure       bool
	}{
		{"everybody", true, came, came, nat.EndpointIndependent, true},
		{"everybody, port answer lost", true, came, silent, nat.EndpointIndependent, true},
		{"by address", true, silent, came, nat.AddressDependent, true},
		{"by address and port", true, silent, silent, nat.AddressPortDependent, true},
		{"one address, came", false, silent, came, nat.AddressDependent, false},
		{"one address, silent", false, silent, silent, nat.AddressPortDependent, true},
		{"the server does not do it", true, refused, refused, nat.BehaviourUnknown, false},
		{"the server ignores it", true, elsewhere, elsewhere, nat.BehaviourUnknown, false},
		{"no time", true, broken, silent, nat.BehaviourUnknown, false},
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
