package relay

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/stun/v4"
)

func at(texts ...string) []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range texts {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}

func TestArrange_PromisesOnlyWhatIsThere(t *testing.T) {
	none := alternatives{-1, -1, -1}
	for _, tt := range []struct {
		name string
		at   []netip.AddrPort
		want []alternatives
	}{
		{"one socket", at("203.0.113.1:3478"), []alternatives{none}},
		{"two ports", at("203.0.113.1:3478", "203.0.113.1:3479"), []alternatives{{1, -1, -1}, {0, -1, -1}}},
		{"two addresses", at("203.0.113.1:3478", "203.0.113.2:3478"), []alternatives{none, none}},
		{"a corner is missing", at("203.0.113.1:1", "203.0.113.1:2", "203.0.113.2:1"), []alternatives{{1, -1, -1}, {0, -1, -1}, none}},
		{
			"the square", at("203.0.113.1:1", "203.0.113.1:2", "203.0.113.2:1", "203.0.113.2:2"),
			[]alternatives{{1, 2, 3}, {0, 3, 2}, {3, 0, 1}, {2, 1, 0}},
		},
		{"two families", at("203.0.113.1:1", "203.0.113.1:2", "[2001:db8::1]:1", "[2001:db8::1]:2"), []alternatives{{1, -1, -1}, {0, -1, -1}, {3, -1, -1}, {2, -1, -1}}},
		{"wildcard", at("0.0.0.0:1", "0.0.0.0:2"), []alternatives{none, none}},
	} {
		if diff := cmp.Diff(tt.want, arrange(tt.at), cmp.AllowUnexported(alternatives{})); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// change is a CHANGE-REQUEST with flags.
func change(flags byte) stun.RawAttribute {
	return stun.RawAttribute{Type: stun.AttrChangeRequest, Value: []byte{0, 0, 0, flags}}
}

func TestAnswerBinding_DoesWhatRFC5780Wants(t *testing.T) {
	square := at("203.0.113.1:1", "203.0.113.1:2", "203.0.113.2:1", "203.0.113.2:2")
	from := netip.MustParseAddrPort("198.51.100.7:4444")
	for _, tt := range []struct {
		name    string
		at      []netip.AddrPort
		request []stun.Setter
		via     int
		origin  string // "" for none
		other   string // "" for none
		refused bool
	}{
		{"plain", square, nil, 0, "203.0.113.1:1", "203.0.113.2:2", false},
		{"no change", square, []stun.Setter{change(0)}, 0, "203.0.113.1:1", "203.0.113.2:2", false},
		{"other port", square, []stun.Setter{change(changePort)}, 1, "203.0.113.1:2", "203.0.113.2:2", false},
		{"other address", square, []stun.Setter{change(changeIP)}, 2, "203.0.113.2:1", "203.0.113.2:2", false},
		{"both", square, []stun.Setter{change(changeIP | changePort)}, 3, "203.0.113.2:2", "203.0.113.2:2", false},
		{"one address", square[:2], nil, 0, "203.0.113.1:1", "", false},
		{"one address, other port", square[:2], []stun.Setter{change(changePort)}, 1, "203.0.113.1:2", "", false},
		{"one address, other address", square[:2], []stun.Setter{change(changeIP)}, 0, "", "", true},
		{"one socket, other port", square[:1], []stun.Setter{change(changePort)}, 0, "", "", true},
		{"wildcard", at("0.0.0.0:1"), nil, 0, "", "", false},
		{"ICE attributes", square, []stun.Setter{stun.NewUsername("a:b"), stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}}}, 0, "203.0.113.1:1", "203.0.113.2:2", false},
		{"unknown attribute", square, []stun.Setter{stun.RawAttribute{Type: 0x7abc, Value: []byte{1, 2, 3, 4}}}, 0, "", "", true},
		{"response port", square, []stun.Setter{stun.RawAttribute{Type: stun.AttrResponsePort, Value: []byte{1, 2, 0, 0}}}, 0, "", "", true},
		{"malformed change", square, []stun.Setter{stun.RawAttribute{Type: stun.AttrChangeRequest, Value: []byte{6}}}, 0, "", "", true},
	} {
		request := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, tt.request...)...)
		raw, via := answerBinding(request.Raw, from, 0, tt.at, arrange(tt.at))
		m := &stun.Message{Raw: raw}
		if err := m.Decode(); err != nil || via != tt.via || m.TransactionID != request.TransactionID || stun.Fingerprint.Check(m) != nil {
			t.Errorf("%s: %v via %d, %v", tt.name, m, via, err)
			continue
		}
		if tt.refused {
			var code stun.ErrorCodeAttribute
			var unknown stun.UnknownAttributes
			if code.GetFrom(m) != nil || code.Code != 420 || unknown.GetFrom(m) != nil || len(unknown) != 1 || m.Type != stun.BindingError {
				t.Errorf("%s: %v", tt.name, m)
			}
			continue
		}
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(m); err != nil || mapped.String() != from.String() {
			t.Errorf("%s: mapped %v, %v", tt.name, mapped, err)
		}
		var origin stun.ResponseOrigin
		if got := text(origin.GetFrom(m), &origin); got != tt.origin {
			t.Errorf("%s: origin %s", tt.name, got)
		}
		var other stun.OtherAddress
		if got := text(other.GetFrom(m), &other); got != tt.other {
			t.Errorf("%s: other %s", tt.name, got)
		}
	}
}

func text(err error, s interface{ String() string }) string {
	if err != nil {
		return ""
	}
	return s.String()
}

// TestServer_AnswersFromTheSocketAskedFor has two addresses of loopback with two
// ports each.
func TestServer_AnswersFromTheSocketAskedFor(t *testing.T) {
	o := Options{}
	var where []netip.AddrPort
	first := listen(t)
	second := listen(t)
	for _, like := range []net.PacketConn{first, second} {
		o.Sockets = append(o.Sockets, Socket{Conn: like})
		where = append(where, addrPort(like.LocalAddr()))
	}
	for i := range 2 {
		a := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), where[i].Port())
		c, err := listenUDP("udp4", a.String())
		if err != nil {
			t.Fatal(err)
		}
		o.Sockets = append(o.Sockets, Socket{Conn: c})
		where = append(where, a)
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	c := peer(t)
	for flags, want := range map[byte]int{0: 0, changePort: 1, changeIP: 2, changeIP | changePort: 3} {
		request := stun.MustBuild(stun.TransactionID, stun.BindingRequest, change(flags))
		if _, err := c.WriteToUDPAddrPort(request.Raw, where[0]); err != nil {
			t.Fatal(err)
		}
		_, from, err := c.ReadFromUDPAddrPort(make([]byte, 500))
		if err != nil || from != where[want] {
			t.Errorf("flags %d: from %s, want %s, %v", flags, from, where[want], err)
		}
	}
	// Without a relay, everything else is left unanswered.
	allocate := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	for _, m := range []*stun.Message{allocate, binding} {
		if _, err := c.WriteToUDPAddrPort(m.Raw, where[0]); err != nil {
			t.Fatal(err)
		}
	}
	buffer := make([]byte, 500)
	n, _, err := c.ReadFromUDPAddrPort(buffer)
	if m := (&stun.Message{Raw: buffer[:n]}); err != nil || m.Decode() != nil || m.TransactionID != binding.TransactionID {
		t.Error("an answer to Allocate:", m, err)
	}
}

func FuzzAnswerBinding(f *testing.F) {
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, change(6), stun.Fingerprint).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("a:b")).Raw)
	square := at("203.0.113.1:1", "203.0.113.1:2", "203.0.113.2:1", "203.0.113.2:2")
	other := arrange(square)
	from := netip.MustParseAddrPort("198.51.100.7:4444")
	f.Fuzz(func(t *testing.T, in []byte) {
		if !isBinding(in) {
			return
		}
		if !isRequest(in) {
			t.Error("a Binding request that is no request")
		}
		raw, via := answerBinding(in, from, 0, square, other)
		if via < 0 || via >= len(square) {
			t.Fatal("via", via)
		}
		if raw == nil {
			return
		}
		if m := (&stun.Message{Raw: raw}); m.Decode() != nil || isRequest(raw) || len(raw) > 4*len(in)+200 {
			t.Errorf("%d bytes for %d", len(raw), len(in))
		}
	})
}

func FuzzFrameSize(f *testing.F) {
	f.Add([]byte{0x40, 0, 0xff, 0xfc})
	f.Add([]byte{0, 1, 0xff, 0xec})
	f.Add([]byte{0, 1, 0, 8})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < channelHeader {
			return
		}
		if n, err := frameSize(in); err == nil && (n < channelHeader || n >= mtu || n%4 != 0) {
			t.Errorf("%x: %d", in[:4], n)
		}
	})
}
