package relay

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/server"
)

var _ server.ICE = (*Directory)(nil)

func TestDirectory_NamesServersAsTheClientCanReachThem(t *testing.T) {
	own := Directory{Ports: []uint16{3478, 3479}, Fallback: netip.MustParseAddr("203.0.113.1")}
	square := own
	square.Alternates = at("203.0.113.1:3479", "203.0.113.2:3479")
	named := own
	named.Host = "stun.example.org"
	for _, tt := range []struct {
		name string
		d    Directory
		host string
		want []string
	}{
		{"none", Directory{}, "a.example", nil},
		{"by the name dialled", own, "a.example", []string{"stun:a.example:3478", "stun:a.example:3479"}},
		{"an IPv6 address", own, "[2001:db8::1]", []string{"stun:[2001:db8::1]:3478", "stun:[2001:db8::1]:3479"}},
		{"this machine", own, "127.0.0.1", []string{"stun:203.0.113.1:3478", "stun:203.0.113.1:3479"}},
		{"this machine by name", own, "localhost", []string{"stun:203.0.113.1:3478", "stun:203.0.113.1:3479"}},
		{"another name", named, "a.example", []string{"stun:stun.example.org:3478", "stun:stun.example.org:3479"}},
		{"two addresses", square, "a.example", []string{"stun:a.example:3478", "stun:203.0.113.1:3479", "stun:203.0.113.2:3479"}},
		{"one port", Directory{Ports: []uint16{3478}}, "a.example", []string{"stun:a.example:3478"}},
		{"no way to say", Directory{Ports: []uint16{3478}}, "127.0.0.1", nil},
		{"somebody else's", Directory{STUNURLs: []string{"stun:b.example:3478"}}, "127.0.0.1", []string{"stun:b.example:3478"}},
	} {
		got := tt.d.STUN(tt.host)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		f := &signaling.Registered{ID: newAgent(t), Resume: signaling.NewToken(signaling.ResumeSize), STUN: got}
		if _, err := signaling.EncodeFrame(f); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestDirectory_GivesRelaysToEnrolledAgents(t *testing.T) {
	agent := newAgent(t)
	now := time.Unix(1_900_000_000, 0)
	own := Directory{
		Relays: []Endpoint{{Port: 3478}, {Port: 3478, TCP: true}, {Port: 5349, TLS: true}},
		Secret: testSecret(t), Agents: &Agents{path: "-", enrolled: map[identity.PeerID]bool{agent: true}, checked: time.Now()},
	}
	got, code := own.Relay(now, agent, "a.example")
	want := []string{"turn:a.example:3478?transport=udp", "turn:a.example:3478?transport=tcp", "turns:a.example:5349?transport=tcp"}
	if diff := cmp.Diff(want, got.URLs); diff != "" || code != "" || got.Expires != now.Unix()+12*3600 || got.Validate() != nil {
		t.Errorf("%+v, %s\n%s", got, code, diff)
	}
	if !strings.Contains(got.Username, string(agent)) || got.Credential != own.Secret.password(got.Username) {
		t.Errorf("%+v", got)
	}
	if _, code := own.Relay(now, newAgent(t), "a.example"); code != signaling.CodeForbidden {
		t.Error("a stranger:", code)
	}
	if !own.MayRelay(agent) || own.MayRelay(newAgent(t)) {
		t.Error("who may ask")
	}
	foreign := Directory{TURNURLs: []string{"turn:b.example"}, Secret: own.Secret, Agents: AnyAgent(), TTL: time.Minute}
	got, code = foreign.Relay(now, agent, "127.0.0.1")
	if diff := cmp.Diff(foreign.TURNURLs, got.URLs); diff != "" || code != "" || got.Expires != now.Unix()+60 {
		t.Errorf("%+v, %s", got, code)
	}
	for _, none := range []Directory{{}, {Agents: AnyAgent()}, {Agents: AnyAgent(), Relays: own.Relays}} {
		if _, code := none.Relay(now, agent, "127.0.0.1"); code != signaling.CodeUnsupported {
			t.Error(code)
		}
	}
}

func TestOpenSockets_BindsAddressesOneByOne(t *testing.T) {
	s, err := OpenSockets(t.Context(), []string{"127.0.0.1:0"}, []netip.Addr{netip.MustParseAddr("203.0.113.1")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.At) != 1 || s.UDP[0].Public != netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), s.At[0].Port()) {
		t.Errorf("%+v", s)
	}
	if _, err := OpenSockets(t.Context(), []string{s.At[0].String()}, nil); err == nil {
		t.Error("a taken port is no error")
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "localhost:3478"} {
		if s, err := OpenSockets(t.Context(), []string{bad}, nil); err == nil {
			t.Error(bad, "is accepted", s.Close())
		}
	}
	local, err := LocalAddresses()
	if err != nil || len(local) == 0 {
		t.Error(local, err)
	}
	every, err := OpenSockets(t.Context(), []string{":0"}, nil)
	if err != nil {
		return // a machine without a network
	}
	defer every.Close()
	for _, a := range every.At {
		if a.Addr().IsLoopback() || a.Addr().IsUnspecified() || a.Addr().IsLinkLocalUnicast() {
			t.Error("listens on", a)
		}
	}
}
