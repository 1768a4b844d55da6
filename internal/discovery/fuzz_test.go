package discovery

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/identity"
)

const somePeer = identity.PeerID("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

// FuzzHandle gives a packet to a LAN that advertises, browses and resolves.
func FuzzHandle(f *testing.F) {
	s := Service{Peer: somePeer, Port: 8788, TLS: true, UDP: 40000}
	for _, r := range []reply{
		{wants: wantAll | wantKinds, addresses: []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fe80::1")}},
		{wants: wantAll, goodbye: true},
		{wants: wantService, legacy: &message{id: 7, questions: []question{{name: serviceName, kind: dnsmessage.TypePTR}}}},
	} {
		p, err := s.answer(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p, uint16(mdnsPort))
	}
	for _, name := range []string{serviceName, enumerationName, instanceName(somePeer), hostName(somePeer), candidate + "."} {
		p, err := ask(name, dnsmessage.TypeALL, dnsmessage.TypePTR, dnsmessage.TypeSRV, dnsmessage.TypeA)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p, uint16(mdnsPort))
		f.Add(p, uint16(40000))
	}
	f.Add(said(f, candidate, "192.168.1.9", "fe80::9"), uint16(mdnsPort))
	f.Fuzz(func(t *testing.T, p []byte, port uint16) {
		if len(p) > maxPacket {
			return
		}
		l := New(Options{})
		l.unicast = rate.NewLimiter(rate.Inf, 1)
		w := &fakeWire{net: &network{}}
		k := &link{attachment: attached("eth0", "192.168.1.7/24", "fe80::7/64"), wire: w}
		k.Interface = net.Interface{Index: 1, Name: "eth0"}
		at := linkKey{index: 1}
		l.links[at], l.service = k, &s
		name, _ := candidateName(candidate)
		pending, err := l.names.join(name)
		if err != nil {
			t.Fatal(err)
		}
		all := &search{agents: map[identity.PeerID]*sighting{}, news: make(chan struct{}, 1)}
		l.searches[all] = struct{}{}
		from := netip.AddrPortFrom(netip.MustParseAddr("192.168.1.9"), port)
		l.handle(p, at, from)
		l.handle(p, at, from)
		if m, ok := parse(p); ok && (len(m.questions) > maxQuestions || len(m.records) > maxRecords) {
			t.Errorf("%d questions, %d records", len(m.questions), len(m.records))
		}
		if len(all.agents) > maxFound {
			t.Errorf("found %d", len(all.agents))
		}
		for _, one := range all.fresh() {
			if one.Peer.Validate() != nil || len(one.Addresses) == 0 || len(one.Addresses) > maxAddresses {
				t.Errorf("found %+v", one)
			}
		}
		if a := pending.addr; a.IsValid() && (a.IsLoopback() || a.IsMulticast() || a.IsUnspecified()) {
			t.Errorf("resolved to %s", a)
		}
	})
}
