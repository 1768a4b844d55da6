package portmap

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func FuzzPCPAnswer(f *testing.F) {
	r := pcpMapRequest{client: us(), nonce: pcpNonce{1, 2, 3}, protocol: protocolUDP, internal: 40000, lifetime: time.Hour}
	f.Add(r.encode())
	f.Add(agree(r.encode(), outside("11.0.0.10:40000"), 3600))
	f.Add(agree(r.encode(), outside("11.0.0.10:40000"), 3600)[:30])
	f.Add([]byte{0, 0x81, 0, 1, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, m []byte) {
		a, old, ok := r.answers(m)
		if !ok || old {
			return
		}
		if pcpNonce(m[pcpHeader:][:12]) != r.nonce {
			t.Error("an answer to somebody else was taken")
		}
		if g, err := newGrant(r.internal, a.external, a.lifetimeSeconds); err == nil &&
			(!isExternal(g.external.Addr()) || g.external.Port() == 0 || g.lifetime <= 0 || g.lifetime > maxLifetime) {
			t.Errorf("%+v was granted", g)
		}
	})
}

func FuzzSearchAnswer(f *testing.F) {
	gateway := netip.MustParseAddr("192.168.1.1")
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1:5000/desc.xml\r\n\r\n",
		"HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1@evil.example/\r\n\r\n",
		"HTTP/1.1 200 OK\r\nLocation: http://[::ffff:192.168.1.1]:5000/\r\n\r\n",
		"HTTP/1.1 404 no\r\n\r\n",
		"NOTIFY * HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		if u, err := parseSearchAnswer(packet, gateway); err == nil && (u.Hostname() != gateway.String() || u.Scheme != "http" || u.User != nil) {
			t.Errorf("%s was taken", u)
		}
	})
}

func FuzzDescription(f *testing.F) {
	gateway := netip.MustParseAddr("192.168.1.1")
	location := &url.URL{Scheme: "http", Host: "192.168.1.1:5000", Path: "/desc.xml"}
	f.Add(describeIGD("/control"))
	f.Add(describeIGD("http://192.168.1.2/control"))
	f.Add(describeIGD("//192.168.1.2/control"))
	f.Add(strings.Replace(describeIGD("c"), "<device>", "<URLBase>http://192.168.1.2/</URLBase><device>", 1))
	f.Add(strings.Repeat("<device>", 1000))
	f.Fuzz(func(t *testing.T, document string) {
		all, err := parseDescription(strings.NewReader(document), http.Client{}, location, gateway)
		if err != nil {
			return
		}
		if len(all) == 0 || len(all) > maxConnections {
			t.Errorf("%d connections", len(all))
		}
		for _, c := range all {
			if c.soap.EndpointURL.Hostname() != gateway.String() || c.soap.EndpointURL.Scheme != "http" {
				t.Errorf("%s was taken", &c.soap.EndpointURL)
			}
		}
	})
}

func FuzzClip(f *testing.F) {
	f.Add("it says \x1b[31mno\x00")
	f.Fuzz(func(t *testing.T, s string) {
		c := clip(s)
		if len([]rune(c)) > 163 || strings.ContainsAny(c, "\x00\x1b\n\r") {
			t.Errorf("%q", c)
		}
	})
}
