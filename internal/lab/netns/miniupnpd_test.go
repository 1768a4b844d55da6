//go:build linux

package netns

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// What a host has asked for comes in, even where nothing else does.
func TestSite_MapsPorts(t *testing.T) {
	l := New(t)
	server, err := l.Servers.ListenPacket(t.Context(), ServerAddress+":4000")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, by := range []Mapping{PCP, NATPMP} {
		site, host := l.Site(t, SiteOptions{Kind: Symmetric})
		site.MapPorts(t, by)
		c, err := host.ListenPacket(t.Context(), host.Address+":5000")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		router := netip.MustParseAddrPort("192.168.1.1:5351")
		write(t, c, string(map[Mapping][]byte{PCP: pcpRequest(host.Address, 5000), NATPMP: natpmpRequest(5000)}[by]), router)
		if answer, _ := receive(t, c, patience); len(answer) < 4 || answer[3] != 0 {
			t.Fatalf("%s: the router answers %x", by, answer)
		}
		write(t, server, "hello", netip.AddrPortFrom(site.PublicAddress(), 5000))
		if !hears(t, c, "hello", netip.MustParseAddrPort(ServerAddress+":4000"), true) {
			t.Errorf("%s: nothing arrives at the mapped port", by)
		}
		write(t, c, string(pcpRequest(host.Address, 5001)), router)
		answer, _ := receive(t, c, waitFor(by == PCP))
		if spoken := len(answer) > 0 && answer[0] == 2; spoken != (by == PCP) {
			t.Errorf("%s: the router speaks PCP: %t", by, spoken)
		}
	}
}

// natpmpRequest asks for a UDP port (RFC 6886 section 3.3).
func natpmpRequest(port uint16) []byte {
	b := []byte{0, 1, 0, 0}
	b = binary.BigEndian.AppendUint16(b, port)
	b = binary.BigEndian.AppendUint16(b, port)
	return binary.BigEndian.AppendUint32(b, 600)
}

// pcpRequest asks for the same by PCP (RFC 6887 sections 7.1 and 11.1).
func pcpRequest(client string, port uint16) []byte {
	b := []byte{2, 1, 0, 0}
	b = binary.BigEndian.AppendUint32(b, 600)
	address := netip.MustParseAddr(client).As16()
	b = append(b, address[:]...)
	b = append(b, "twelve bytes"...)
	b = append(b, 17, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, port)
	b = binary.BigEndian.AppendUint16(b, port)
	unspecified := netip.MustParseAddr("0.0.0.0").As16()
	return append(b, unspecified[:]...)
}

// And what came in by the old address comes in no more.
func TestSite_GetsANewAddress(t *testing.T) {
	l := New(t)
	server, err := l.Servers.ListenPacket(t.Context(), ServerAddress+":4000")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l.Coturn(t, CoturnOptions{})
	for _, kind := range []Kind{FullCone, Symmetric} {
		site, host := l.Site(t, SiteOptions{Kind: kind})
		before := site.PublicAddress()
		c, mapped := bind(t, host)
		if mapped.Addr() != before {
			t.Errorf("%s: public address %s, want %s", kind, mapped, before)
		}
		write(t, c, "hello", netip.MustParseAddrPort(ServerAddress+":4000"))
		_, from := receive(t, server, patience)
		site.Renumber(t)
		write(t, server, "late", from)
		if hears(t, c, "late", netip.MustParseAddrPort(ServerAddress+":4000"), false) {
			t.Errorf("%s: what is for the old address comes in", kind)
		}
		if _, mapped := bind(t, host); mapped.Addr() != site.PublicAddress() || mapped.Addr() == before {
			t.Errorf("%s: public address %s, want %s, not %s", kind, mapped, site.PublicAddress(), before)
		}
	}
}
