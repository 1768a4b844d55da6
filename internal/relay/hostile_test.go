package relay

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/signaling"
)

// rawClient speaks TURN without a library, which would not do what it does.
type rawClient struct {
	t      testing.TB
	conn   *net.UDPConn
	server *net.UDPAddr
	login  []stun.Setter
}

func (s *site) raw(c signaling.ICEServer) *rawClient {
	s.t.Helper()
	r := &rawClient{t: s.t, conn: peer(s.t), server: s.udp}
	refused := r.ask(stun.MethodAllocate, requestedUDP())
	var realm stun.Realm
	var nonce stun.Nonce
	if realm.GetFrom(refused) != nil || nonce.GetFrom(refused) != nil {
		s.t.Fatal("no realm or nonce:", refused)
	}
	r.login = []stun.Setter{
		stun.NewUsername(c.Username), realm, nonce, stun.NewLongTermIntegrity(c.Username, realm.String(), c.Credential),
	}
	if m := r.ask(stun.MethodAllocate, requestedUDP()); m.Type.Class != stun.ClassSuccessResponse {
		s.t.Fatal("allocate:", m)
	}
	return r
}

func requestedUDP() stun.Setter {
	return stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
}

// ask sends a request and returns the answer.
func (r *rawClient) ask(method stun.Method, setters ...stun.Setter) *stun.Message {
	r.t.Helper()
	all := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, setters...)
	request := stun.MustBuild(append(all, r.login...)...)
	if _, err := r.conn.WriteTo(request.Raw, r.server); err != nil {
		r.t.Fatal(err)
	}
	buffer := make([]byte, mtu)
	n, _, err := r.conn.ReadFrom(buffer)
	if err != nil {
		r.t.Fatal(err)
	}
	m := &stun.Message{Raw: buffer[:n]}
	if err := m.Decode(); err != nil || m.TransactionID != request.TransactionID {
		r.t.Fatal(m, err)
	}
	return m
}

// bind asks for a channel.
func (r *rawClient) bind(number uint16, to netip.AddrPort) *stun.Message {
	r.t.Helper()
	value := binary.BigEndian.AppendUint16(nil, number)
	return r.ask(stun.MethodChannelBind, stun.RawAttribute{Type: stun.AttrChannelNumber, Value: append(value, 0, 0)}, peerAddress(to))
}

type peerAddress netip.AddrPort

func (p peerAddress) AddTo(m *stun.Message) error {
	a := netip.AddrPort(p)
	return (&stun.XORMappedAddress{IP: netIP(a), Port: int(a.Port())}).AddToAs(m, stun.AttrXORPeerAddress)
}

// An answer to what is not even a request would go to whoever is said to have
// sent it, as often as somebody likes.
func TestServer_AnswersNoIndicationsOfStrangers(t *testing.T) {
	s := start(t, nil)
	victim := peer(t)
	trick := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), stun.RawAttribute{Type: 0x7f01})
	binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	for _, m := range []*stun.Message{trick, trick, trick, binding} {
		if _, err := victim.WriteTo(m.Raw, s.udp); err != nil {
			t.Fatal(err)
		}
	}
	buffer := make([]byte, mtu)
	n, _, err := victim.ReadFrom(buffer)
	m := &stun.Message{Raw: buffer[:n]}
	if err != nil || m.Decode() != nil || m.TransactionID != binding.TransactionID {
		t.Error("the first answer:", m, err)
	}
}

// Each channel costs time when its allocation ends, during which nobody else's
// is served: with some thousands it was seconds.
func TestServer_BoundsTheChannelsOfAnAllocation(t *testing.T) {
	s := start(t, func(o *Options) { o.Limits.RequestsPerSecond, o.Limits.RequestBurst = 1e6, 1e6 })
	c := s.raw(credential(testSecret(t), newAgent(t)))
	for i := range uint16(maxChannels) {
		if m := c.bind(0x4000+i, netip.AddrPortFrom(loopback(), 1024+i)); m.Type.Class != stun.ClassSuccessResponse {
			t.Fatal(i, m)
		}
	}
	if m := c.bind(0x4000+maxChannels, netip.AddrPortFrom(loopback(), 1024+maxChannels)); m.Type.Class != stun.ClassErrorResponse {
		t.Error("one too many:", m)
	}
}

func TestServer_CountsEmptyPackets(t *testing.T) {
	s := start(t, func(o *Options) { o.Limits.BytesPerDay = 100 * minCharge })
	c, far := s.raw(credential(testSecret(t), newAgent(t))), peer(t)
	if m := c.bind(0x4000, addrPort(far.LocalAddr())); m.Type.Class != stun.ClassSuccessResponse {
		t.Fatal(m)
	}
	for range 101 {
		if _, err := c.conn.WriteTo([]byte{0x40, 0, 0, 0}, c.server); err != nil {
			t.Fatal(err)
		}
	}
	s.counted("allocations", 0)
	s.counted("packets_total", 100, toPeer)
}

// Whoever connects again from the port that it had, before the end of the connection
// before was seen, must leave nothing that Close waits for.
func TestListener_ForgetsAStreamThatAnotherHasTakenThePlaceOf(t *testing.T) {
	s := start(t, nil)
	l := newListener(s.Server, Listener{Listener: listenTCP(t)})
	var both []*stream
	for range 2 {
		near, far := net.Pipe() // the addresses of all pipes are the same
		_ = far.Close()
		both = append(both, newStream(l, near, nil))
		if !l.add(both[len(both)-1]) {
			t.Fatal("the listener is closed")
		}
	}
	for _, st := range append(both, both...) {
		if _, err := st.Read(make([]byte, mtu)); err == nil {
			t.Error("a stream that has ended was read")
		}
	}
	if n := s.metric("connections"); n != 0 || len(l.streams) != 0 {
		t.Errorf("%v connections, %d streams", n, len(l.streams))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestDestinations_KnowAddressesThatComeLater(t *testing.T) {
	prefixes := []netip.Prefix{prefix("203.0.113.5/24"), prefix("2001:db8::5/64")}
	d := &destinations{list: func() ([]netip.Prefix, error) { return prefixes, nil }}
	now := time.Unix(1000, 0)
	d.refresh(now, nil)
	later := netip.MustParseAddr("2001:db8::beef")
	if !d.relaysOnly(prefixes[0].Addr()) || !d.relaysOnly(prefixes[1].Addr()) || d.relaysOnly(later) {
		t.Error("at the start")
	}
	for ip, want := range map[string]bool{"203.0.113.255": false, "203.0.113.254": true, "203.0.114.255": true} {
		if d.address(netip.MustParseAddr(ip)) != want {
			t.Error(ip, "is relayed to:", !want)
		}
	}
	prefixes = []netip.Prefix{netip.PrefixFrom(later, 64)}
	if d.refresh(now.Add(time.Second), nil); d.relaysOnly(later) {
		t.Error("listed anew at once")
	}
	if d.refresh(now.Add(refreshEvery), nil); !d.relaysOnly(later) {
		t.Error("not listed anew")
	}
}
