package relay

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = time.Minute

// never is when a client asks a second time over loopback, where nothing is lost: a
// request that is only late would be counted twice.
const never = patience

func loopback() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

// site is a relay on loopback, which relays to loopback.
type site struct {
	*Server
	t        testing.TB
	registry *prometheus.Registry
	udp      *net.UDPAddr
}

// start starts a relay with one UDP socket. change may be nil.
func start(t testing.TB, change func(*Options)) *site {
	t.Helper()
	registry := prometheus.NewRegistry()
	socket := listen(t)
	o := Options{
		Sockets:  []Socket{{Conn: socket}},
		Registry: registry,
		TURN: &TURN{
			Secret: testSecret(t), Agents: AnyAgent(), Relays: []Address{{Listen: loopback()}},
			Allow: []netip.Prefix{prefix("127.0.0.0/8")},
		},
	}
	if change != nil {
		change(&o)
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	return &site{s, t, registry, socket.LocalAddr().(*net.UDPAddr)}
}

func testSecret(t testing.TB) Secret {
	t.Helper()
	s, err := ParseSecret("the-secret-of-the-tests")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func listen(t testing.TB) net.PacketConn {
	t.Helper()
	c, err := listenUDP("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// peer is a socket that somebody talks to through the relay.
func peer(t testing.TB) *net.UDPConn {
	t.Helper()
	c := listen(t).(*net.UDPConn)
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func newAgent(t testing.TB) identity.PeerID {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id.PeerID()
}

func credential(s Secret, agent identity.PeerID) signaling.ICEServer {
	return s.Credential([]string{"turn:127.0.0.1"}, agent, time.Now().Add(time.Hour))
}

// dial makes pion's client of the relay over conn, which it closes at the end.
func (s *site) dial(conn net.PacketConn, server string, c signaling.ICEServer) *turn.Client {
	s.t.Helper()
	return dial(s.t, conn, server, c)
}

func dial(t testing.TB, conn net.PacketConn, server string, c signaling.ICEServer) *turn.Client {
	t.Helper()
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: server, TURNServerAddr: server, Username: c.Username, Password: c.Credential, Realm: "sightline",
		Conn: conn, LoggerFactory: silentLogs{}, RTO: never,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		_ = conn.Close()
	})
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	return client
}

// client is a client over UDP with a fresh credential of an agent.
func (s *site) client(agent identity.PeerID) *turn.Client {
	s.t.Helper()
	return s.dial(listen(s.t), s.udp.String(), credential(s.opts.TURN.Secret, agent))
}

// allocate opens a relay that ends with the test.
func allocate(t testing.TB, c *turn.Client) net.PacketConn {
	t.Helper()
	r, err := c.Allocate()
	if err != nil {
		t.Fatal("allocate:", err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return r
}

// exchange sends n packets both ways and compares them.
func exchange(t testing.TB, relayed net.PacketConn, far *net.UDPConn, n int) {
	t.Helper()
	buffer := make([]byte, 2000)
	for i := range n {
		out := make([]byte, 20+i)
		out[3] = byte(i)
		if _, err := relayed.WriteTo(out, far.LocalAddr()); err != nil {
			t.Fatal("to the peer:", err)
		}
		got, from, err := far.ReadFromUDPAddrPort(buffer)
		if err != nil || string(buffer[:got]) != string(out) {
			t.Fatalf("at the peer: %d of %d bytes, %v", got, len(out), err)
		}
		if want := addrPort(relayed.LocalAddr()); from != want {
			t.Fatalf("comes from %s, not from %s", from, want)
		}
		if _, err := far.WriteToUDPAddrPort(out, from); err != nil {
			t.Fatal("back:", err)
		}
		back, _, err := relayed.ReadFrom(buffer)
		if err != nil || string(buffer[:back]) != string(out) {
			t.Fatalf("at the client: %d of %d bytes, %v", back, len(out), err)
		}
	}
}

// metric adds up what a metric has, for one label's value or all.
func (s *site) metric(name string, label ...string) float64 {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != "sightline_relay_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(label) == 0 || m.GetLabel()[0].GetValue() == label[0] {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// counted waits until a metric has a value.
func (s *site) counted(name string, want float64, label ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for s.metric(name, label...) != want {
		select {
		case <-poll.C:
		case <-ctx.Done():
			s.t.Fatalf("%s %v is %v, want %v", name, label, s.metric(name, label...), want)
		}
	}
}
