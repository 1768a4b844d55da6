package netcheck

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func FuzzReadMessage(f *testing.F) {
	for _, m := range []*stun.Message{
		stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 1), Port: 1}),
		stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.CodeUnauthorized,
			stun.NewRealm("r"), stun.NewNonce("n")),
	} {
		f.Add(m.Raw)
		f.Add(m.Raw[:len(m.Raw)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readMessage(bytes.NewReader(data))
		if err != nil {
			return
		}
		if len(m.Raw) > stunHeader+maxStreamMessage || len(m.Raw) > len(data) {
			t.Errorf("%d bytes were read", len(m.Raw))
		}
		errorCode(m)
		if a := otherAddress(m, netip.MustParseAddrPort("198.51.100.1:3478")); a.IsValid() && inside(a.Addr()) {
			t.Errorf("%v was taken for the server's", a)
		}
		_, _ = loginOf(m, relayServer{username: "u", credential: "p"})
	})
}

func FuzzParseURL(f *testing.F) {
	for _, u := range []string{
		"stun:stun.example.org", "stun:198.51.100.1:3478", "stun:[2001:db8::1]:3478", "turn:h:1?transport=tcp",
		"turns:h", "turns:h?transport=udp", "stun:h:0", "stun:h:70000", "turn:", "stun:[", "stuns:h", "turn:h?transport=sctp",
	} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parseURL(text)
		if err == nil && (u.host == "" || u.port == 0 || u.relay != (u.transport != "")) {
			t.Errorf("%q is taken as %+v", text, u)
		}
	})
}

func FuzzHealthURL(f *testing.F) {
	for _, u := range []string{"wss://signal.example.org", "ws://127.0.0.1:1/v1/signal", "https://a:b@h", "http://", "ftp://h", "wss:h"} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := healthURL(text)
		if err == nil && (u.Host == "" || u.User != nil || u.Path != "/healthz" || u.Scheme != "http" && u.Scheme != "https") {
			t.Errorf("%q is taken as %s", text, u)
		}
	})
}

func FuzzCompareClocks(f *testing.F) {
	f.Add("Sat, 21 Nov 2026 12:00:00 GMT")
	f.Add("Saturday, 21-Nov-26 12:00:00 GMT")
	f.Add("")
	f.Fuzz(func(_ *testing.T, date string) {
		s := SignalReport{Clock: compareClocks(date, time.Unix(1800000000, 0), time.Second)}
		s.Explain()
	})
}

func FuzzWriteText(f *testing.F) {
	f.Add("verdict", "topic", "some text", "advice")
	f.Add("\x1b[2J", "a\nb", "very-long-word-"+string(bytes.Repeat([]byte{'x'}, 200)), "\u202e")
	f.Fuzz(func(t *testing.T, verdict, topic, text, advice string) {
		var b bytes.Buffer
		if err := WriteText(&b, verdict, []Section{{"Title", []Finding{{Level: OK, Topic: topic, Text: text, Advice: advice, Details: []string{text}}}}}); err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(b.Bytes(), "\x1b\r\a\b\x00") {
			t.Errorf("it prints %q", b.String())
		}
	})
}
