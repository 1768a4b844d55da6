package relay

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/tlsfile"
)

func TestServer_RelaysOverUDP(t *testing.T) {
	s := start(t, nil)
	far := peer(t)
	exchange(t, allocate(t, s.client(newAgent(t))), far, 50)
	for _, direction := range []string{toPeer, toClient} {
		s.counted("packets_total", 50, direction)
		s.counted("bytes_total", 50*20+49*25, direction)
	}
	if s.metric("allocated_total", "udp") != 1 {
		t.Error("not counted as UDP")
	}
}

func TestServer_RelaysOverTCPAndTLS(t *testing.T) {
	cert, err := tlsfile.OpenOwn(tlsfile.OwnOptions{File: filepath.Join(t.TempDir(), "own.pem")})
	if err != nil {
		t.Fatal(err)
	}
	for _, over := range []transport{overTCP, overTLS} {
		t.Run(string(over), func(t *testing.T) {
			var at string
			s := start(t, func(o *Options) {
				l := Listener{Listener: listenTCP(t)}
				if over == overTLS {
					l.TLS = tlsfile.Config(cert)
				}
				at = l.Addr().String()
				o.TURN.Listeners = []Listener{l}
			})
			conn := dialTCP(t, at)
			if over == overTLS {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"stun.turn"}})
			}
			c := s.dial(turn.NewSTUNConn(conn), at, credential(s.opts.TURN.Secret, newAgent(t)))
			far := peer(t)
			r := allocate(t, c)
			exchange(t, r, far, 50)
			if s.metric("allocated_total", string(over)) != 1 {
				t.Error("not counted")
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			s.counted("allocations", 0)
			c.Close()
			_ = conn.Close()
			s.counted("connections", 0)
		})
	}
}

func listenTCP(t testing.TB) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dialTCP(t testing.TB, at string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServer_RelaysBetweenTwoOfItsRelays(t *testing.T) {
	// Without the allow-list's exception, so that ports of the own address count.
	s := start(t, func(o *Options) { o.TURN.Allow = nil })
	a, b := allocate(t, s.client(newAgent(t))), allocate(t, s.client(newAgent(t)))
	buffer := make([]byte, 2000)
	// The second permits the first by sending to it; its packet is lost.
	if _, err := b.WriteTo([]byte("b"), a.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteTo([]byte("hello"), b.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	n, from, err := b.ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != "hello" || from.String() != a.LocalAddr().String() {
		t.Errorf("%q from %v, %v", buffer[:n], from, err)
	}
	// Everything else at that address is out of reach.
	far := peer(t)
	if _, err := a.WriteTo([]byte("hello"), far.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	s.counted("dropped_total", 1, droppedDestination)
	if err := far.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := far.ReadFromUDP(buffer); err == nil {
		t.Errorf("the relay reached its own machine with %d bytes", n)
	}
}

func TestServer_ForbidsPrivateDestinations(t *testing.T) {
	s := start(t, func(o *Options) { o.TURN.Allow = nil })
	r := allocate(t, s.client(newAgent(t)))
	forbidden := []string{"10.0.0.1", "192.168.1.1", "172.16.5.5", "127.0.0.2", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.251", "255.255.255.255"}
	for _, ip := range forbidden {
		_, err := r.WriteTo([]byte("x"), &net.UDPAddr{IP: net.ParseIP(ip), Port: 80})
		if err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: %v", ip, err)
		}
	}
	if n := s.metric("forbidden_total"); n < float64(len(forbidden)) {
		t.Error("counted", n)
	}
}

func TestServer_DropsWhatStrangersSendToARelay(t *testing.T) {
	s := start(t, nil)
	far, stranger := peer(t), peer2(t)
	r := allocate(t, s.client(newAgent(t)))
	exchange(t, r, far, 1)
	for range 10 {
		if _, err := stranger.WriteTo([]byte("spam"), r.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	s.counted("dropped_total", 10, droppedStranger)
	exchange(t, r, far, 1)
	if n := s.metric("bytes_total", toClient); n != 40 {
		t.Error("a stranger's packets were counted:", n)
	}
}

// peer2 is a socket at another address than peer's.
func peer2(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := listenUDP("udp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServer_RefusesCredentialsThatAreNotItsOwn(t *testing.T) {
	enrolled := newAgent(t)
	s := start(t, func(o *Options) {
		o.TURN.Agents = &Agents{path: "-", enrolled: map[identity.PeerID]bool{enrolled: true}, checked: time.Now()}
	})
	secret := s.opts.TURN.Secret
	other := NewSecret()
	forged := credential(secret, enrolled)
	forged.Username = strings.Replace(forged.Username, ":", "0:", 1) // ten times later
	for name, c := range map[string]struct{ user, password string }{
		"a stranger's agent": {credential(secret, newAgent(t)).Username, credential(secret, newAgent(t)).Credential},
		"another secret":     {credential(other, enrolled).Username, credential(other, enrolled).Credential},
		"expired":            {secret.Credential(nil, enrolled, time.Now().Add(-time.Second)).Username, secret.password("x")},
		"forged expiry":      {forged.Username, forged.Credential},
		"no name of ours":    {"admin", secret.password("admin")},
	} {
		t.Run(name, func(t *testing.T) {
			ice := credential(secret, enrolled)
			ice.Username, ice.Credential = c.user, c.password
			if _, err := dial(t, listen(t), s.udp.String(), ice).Allocate(); err == nil {
				t.Error("accepted")
			}
		})
	}
	expired := secret.Credential(nil, enrolled, time.Now().Add(-time.Second))
	if _, err := s.dial(listen(t), s.udp.String(), expired).Allocate(); err == nil {
		t.Error("an expired credential was accepted")
	}
	s.counted("authentications_total", 6, authRefused)
	s.counted("allocations", 0)
	allocate(t, s.client(enrolled))
}

func TestServer_BoundsTheAllocationsOfAnAgentAndOfAll(t *testing.T) {
	s := start(t, func(o *Options) { o.Limits = Limits{Allocations: 2, TotalAllocations: 3} })
	a, b := newAgent(t), newAgent(t)
	first := allocate(t, s.client(a))
	allocate(t, s.client(a))
	wantQuota := func(agent identity.PeerID) {
		t.Helper()
		if _, err := s.client(agent).Allocate(); err == nil || !strings.Contains(err.Error(), "486") && !strings.Contains(err.Error(), "Quota") {
			t.Error("got", err)
		}
	}
	wantQuota(a)
	allocate(t, s.client(b))
	wantQuota(b)
	if s.metric("refused_total", refusedAllocations) != 1 || s.metric("refused_total", refusedTotal) != 1 {
		t.Error("not counted")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	s.counted("allocations", 2)
	allocate(t, s.client(a))
}

func TestServer_EndsTheAllocationsOfAnAgentThatHasSpentItsBudget(t *testing.T) {
	s := start(t, func(o *Options) { o.Limits.BytesPerDay = 5000 })
	poor, rich := newAgent(t), newAgent(t)
	far := peer(t)
	r, other := allocate(t, s.client(poor)), allocate(t, s.client(rich))
	exchange(t, r, far, 2)
	for range 6 {
		_, _ = r.WriteTo(make([]byte, 1000), far.LocalAddr())
	}
	s.counted("allocations", 1)
	buffer := make([]byte, 2000)
	for got := 0; got < 4; got++ { // the four that were within it
		if _, _, err := far.ReadFromUDP(buffer); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.client(poor).Allocate(); err == nil {
		t.Error("a new allocation on a spent budget")
	}
	if s.metric("refused_total", refusedBudget) != 1 {
		t.Error("not counted")
	}
	exchange(t, other, far, 2) // nobody else's
}

func TestServer_EndsAllAllocationsWhenTheBudgetOfAllIsSpent(t *testing.T) {
	s := start(t, func(o *Options) { o.Limits.TotalBytesPerDay = 5000 })
	far := peer(t)
	first, second := allocate(t, s.client(newAgent(t))), allocate(t, s.client(newAgent(t)))
	exchange(t, first, far, 2)
	exchange(t, second, far, 2)
	for range 6 {
		_, _ = first.WriteTo(make([]byte, 1000), far.LocalAddr())
	}
	s.counted("allocations", 1)
	_, _ = second.WriteTo(make([]byte, 1000), far.LocalAddr())
	s.counted("allocations", 0)
	if _, err := s.client(newAgent(t)).Allocate(); err == nil {
		t.Error("a fresh key got an allocation on a spent budget")
	}
	if s.metric("refused_total", refusedTotalBudget) != 1 || s.metric("dropped_total", refusedTotalBudget) < 2 {
		t.Error("not counted")
	}
}

func TestServer_BoundsStreams(t *testing.T) {
	var at string
	s := start(t, func(o *Options) {
		l := Listener{Listener: listenTCP(t)}
		at = l.Addr().String()
		o.TURN.Listeners = []Listener{l}
		o.Limits.Connections, o.Limits.ConnectionsPerAddress = 3, 1 // times ten from loopback
	})
	// One with an allocation is never the one that makes room.
	c := s.dial(turn.NewSTUNConn(dialTCP(t, at)), at, credential(s.opts.TURN.Secret, newAgent(t)))
	far := peer(t)
	r := allocate(t, c)
	first := dialTCP(t, at)
	for range 5 {
		dialTCP(t, at)
	}
	if err := first.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the one that was silent longest is still there:", err)
	}
	exchange(t, r, far, 3)
}

// TestServer_EndsStreamsThatAreNotTURN sends what would spin pion's own framing:
// lengths that overflow 16 bits.
func TestServer_EndsStreamsThatAreNotTURN(t *testing.T) {
	var at string
	s := start(t, func(o *Options) {
		l := Listener{Listener: listenTCP(t)}
		at = l.Addr().String()
		o.TURN.Listeners = []Listener{l}
	})
	for i, data := range [][]byte{
		append([]byte{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...),
		append([]byte{0, 1, 0xff, 0xff, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...),
		append([]byte{0x40, 0, 0xff, 0xfc}, make([]byte, 16)...),
		append([]byte{0x40, 0, 0xff, 0xff}, make([]byte, 16)...),
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		bytes.Repeat([]byte{0xff}, 64),
	} {
		c := dialTCP(t, at)
		if _, err := c.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d: %d bytes, %v", i, n, err)
		}
	}
	s.counted("connections", 0)
	if s.metric("dropped_total", droppedFrame) == 0 {
		t.Error("not counted")
	}
}

func TestServer_AnswersSTUNOverTCP(t *testing.T) {
	var at string
	start(t, func(o *Options) {
		l := Listener{Listener: listenTCP(t)}
		at = l.Addr().String()
		o.TURN.Listeners = []Listener{l}
	})
	c := dialTCP(t, at)
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	for range 2 {
		// In two pieces, as TCP may deliver it.
		for _, part := range [][]byte{request.Raw[:7], request.Raw[7:]} {
			if _, err := c.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		m := &stun.Message{Raw: make([]byte, 0, 200)}
		if _, err := m.ReadFrom(c); err != nil || m.Type != stun.BindingSuccess {
			t.Fatal(m, err)
		}
	}
}

func TestServer_ThrottlesRequests(t *testing.T) {
	s := start(t, func(o *Options) { o.Limits.RequestsPerSecond, o.Limits.RequestBurst = 1, 5 })
	for _, l := range s.throttle.limiters {
		l.SetLimit(0) // nobody gets another request, however long this takes
	}
	c := peer(t)
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	for range 50 {
		if _, err := c.WriteTo(request.Raw, s.udp); err != nil {
			t.Fatal(err)
		}
	}
	s.counted("dropped_total", 45, droppedThrottled)
	if n := s.metric("bindings_total"); n != 5 {
		t.Error("answered", n)
	}
}

func TestServer_CloseEndsEverythingAndIsIdempotent(t *testing.T) {
	var at string
	s := start(t, func(o *Options) {
		l := Listener{Listener: listenTCP(t)}
		at = l.Addr().String()
		o.TURN.Listeners = []Listener{l}
	})
	allocate(t, s.client(newAgent(t)))
	allocate(t, s.dial(turn.NewSTUNConn(dialTCP(t, at)), at, credential(s.opts.TURN.Secret, newAgent(t))))
	dialTCP(t, at)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := s.metric("allocations") + s.metric("connections"); n != 0 {
		t.Error(n, "left")
	}
}

func TestServer_RelaysFromIPv6(t *testing.T) {
	six, err := listenUDP("udp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *Options) {
		o.Sockets = append(o.Sockets, Socket{Conn: six})
		o.TURN.Relays = append(o.TURN.Relays, Address{Listen: netip.MustParseAddr("::1")})
		o.TURN.Allow = append(o.TURN.Allow, prefix("::1/128"))
	})
	near, err := listenUDP("udp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	far, err := listenUDP("udp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	r := allocate(t, s.dial(near, six.LocalAddr().String(), credential(s.opts.TURN.Secret, newAgent(t))))
	exchange(t, r, far.(*net.UDPConn), 3)
}

func TestStart_RefusesWhatCannotWork(t *testing.T) {
	socket := listen(t)
	defer socket.Close()
	good := func() Options {
		return Options{Sockets: []Socket{{Conn: socket}}, TURN: &TURN{
			Secret: testSecret(t), Agents: AnyAgent(), Relays: []Address{{Listen: loopback()}},
		}}
	}
	for name, spoil := range map[string]func(*Options){
		"no socket":      func(o *Options) { o.Sockets, o.TURN = nil, nil },
		"no secret":      func(o *Options) { o.TURN.Secret = Secret{} },
		"no agents":      func(o *Options) { o.TURN.Agents = nil },
		"no relay":       func(o *Options) { o.TURN.Relays = nil },
		"wildcard relay": func(o *Options) { o.TURN.Relays = []Address{{Listen: netip.IPv4Unspecified()}} },
		"two of a kind":  func(o *Options) { o.TURN.Relays = append(o.TURN.Relays, o.TURN.Relays[0]) },
		"ports":          func(o *Options) { o.TURN.MinPort, o.TURN.MaxPort = 6000, 5000 },
	} {
		o := good()
		spoil(&o)
		if s, err := Start(o); err == nil {
			t.Error(name, "is accepted", s.Close())
		}
	}
}
