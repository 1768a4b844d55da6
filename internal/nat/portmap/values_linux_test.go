package portmap

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestEpoch_RecognizesARestart(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		later time.Duration
		from  uint32
		to    uint32
		want  bool
	}{
		{"as it should be", time.Hour, 1000, 4600, false},
		{"the same second", 0, 1000, 1000, false},
		{"a rounding", 0, 1000, 999, false},
		{"back to zero", time.Hour, 1000, 0, true},
		{"back by two", 0, 1000, 998, true},
		{"a clock that is slow by a twentieth", time.Hour, 1000, 4420, false},
		{"a clock that is fast by a twentieth", time.Hour, 1000, 4780, false},
		{"too little time", time.Hour, 1000, 1010, true},
		{"too much time", time.Minute, 1000, 4600, true},
	} {
		var e epoch
		if e.update(c.from, start) {
			t.Errorf("%s: the first answer is a restart", c.name)
		}
		if got := e.update(c.to, start.Add(c.later)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"11.0.0.10": true, "203.0.113.5": true, "198.51.100.1": true, "8.8.8.8": true, "100.63.255.255": true, "100.128.0.0": true,
		"10.0.0.1": false, "172.31.0.1": false, "192.168.0.1": false, "100.64.0.0": false, "100.127.255.255": false,
		"127.0.0.1": false, "169.254.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "0.0.0.0": false, "0.1.2.3": false,
		"192.0.0.1": false, "198.18.0.1": false, "240.0.0.1": false, "2001:db8::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// hex is an address as /proc/net/route has it on this machine.
func hex(address string) string {
	a := netip.MustParseAddr(address).As4()
	return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(a[:]))
}

func TestDefaultRoute_TakesTheLowestMetric(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	line := func(to, gateway, flags, metric, mask string) string {
		return "eth0\t" + to + "\t" + gateway + "\t" + flags + "\t0\t0\t" + metric + "\t" + mask + "\t0\t0\t0\n"
	}
	const any = "00000000"
	for _, c := range []struct{ name, table, want string }{
		{"one", head + line(any, hex("192.168.1.1"), "0003", "0", any), "192.168.1.1"},
		{"two", head + line(any, hex("192.168.1.1"), "0003", "600", any) + line(any, hex("10.0.0.1"), "0003", "100", any), "10.0.0.1"},
		{"a tunnel's halves", head + line(any, hex("10.8.0.1"), "0003", "0", hex("128.0.0.0")) + line(any, hex("192.168.1.1"), "0003", "0", any), "192.168.1.1"},
		{"without a router", head + line(any, any, "0001", "0", any), ""},
		{"a route that is down", head + line(any, hex("192.168.1.1"), "0002", "0", any), ""},
		{"nothing", head, ""},
		{"garbage", "x\n" + line(any, "zz", "0003", "0", any) + line(any, hex("10.0.0.1"), "0003", "-1", any), ""},
	} {
		got, ok := defaultRoute([]byte(c.table))
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %s, %v; want %q", c.name, got, ok, c.want)
		}
	}
}

func FuzzDefaultRoute(f *testing.F) {
	f.Add([]byte("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n"))
	f.Fuzz(func(t *testing.T, table []byte) {
		if a, ok := defaultRoute(table); ok && !a.Is4() {
			t.Errorf("%s was taken", a)
		}
	})
}

func TestNewGrant_RefusesWhatCannotBe(t *testing.T) {
	for _, c := range []struct {
		external string
		seconds  uint32
		ok       bool
	}{
		{"11.0.0.10:4000", 7200, true},
		{"192.168.0.2:4000", 7200, true}, // double NAT
		{"[::ffff:11.0.0.10]:4000", 7200, true},
		{"11.0.0.10:0", 7200, false},
		{"11.0.0.10:4000", 0, false},
		{"0.0.0.0:4000", 7200, false},
		{"127.0.0.1:4000", 7200, false},
		{"224.0.0.1:4000", 7200, false},
		{"255.255.255.255:4000", 7200, false},
		{"[2001:db8::1]:4000", 7200, false},
		{"[::]:4000", 7200, false},
	} {
		g, err := newGrant(40000, netip.MustParseAddrPort(c.external), c.seconds)
		if (err == nil) != c.ok {
			t.Errorf("%s for %d s: %+v, %v", c.external, c.seconds, g, err)
		}
	}
	if g, _ := newGrant(1, netip.MustParseAddrPort("11.0.0.10:1"), 0xffffffff); g.lifetime != maxLifetime {
		t.Errorf("a lifetime of %s is believed", g.lifetime)
	}
}
