package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/freeport"
	"github.com/sightline-cam/sightline/signaling/client"
	"github.com/sightline-cam/sightline/signaling/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = time.Minute

var errOver = errors.New("the test is over")

// site is a real server at an address that survives restarts.
type site struct {
	t    testing.TB
	addr string

	server *server.Server
	http   *http.Server
	conns  *cutter
	served chan error
}

func startSite(t testing.TB, o server.Options) *site {
	t.Helper()
	s := &site{t: t}
	s.start(o)
	t.Cleanup(s.stop)
	return s
}

func (s *site) start(o server.Options) {
	s.t.Helper()
	if s.addr == "" {
		s.addr = freeport.Address(s.t)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	o.CloseTimeout = patience // whoever is slow is told all the same
	s.server, err = server.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.conns = &cutter{Listener: l}
	s.http = &http.Server{Handler: s.server.Handler(), ReadHeaderTimeout: patience}
	s.served = make(chan error, 1)
	go func() { s.served <- s.http.Serve(s.conns) }()
}

func (s *site) stop() {
	s.t.Helper()
	if s.http == nil {
		return
	}
	if err := s.server.Close(); err != nil {
		s.t.Error(err)
	}
	if err := s.http.Close(); err != nil {
		s.t.Error(err)
	}
	<-s.served
	s.http = nil
}

func (s *site) url() string { return "ws://" + s.addr }

// cutter is a listener whose connections can be cut without a word.
type cutter struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	c.conns = nil
}

// peer is a running client and what it received.
type peer struct {
	*client.Client
	t        testing.TB
	id       *identity.Identity
	messages chan string
	states   chan change
	stop     func()
}

type change struct {
	state client.State
	err   error
}

// run starts a client with short pauses.
func run(t testing.TB, url string, id *identity.Identity, change func(*client.Options)) *peer {
	t.Helper()
	p := newPeer(t, url, id, change)
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var once sync.Once
	p.stop = func() {
		once.Do(func() {
			cancel(errOver)
			select {
			case err := <-done:
				if !errors.Is(err, errOver) {
					t.Error("Run:", err)
				}
			case <-time.After(patience):
				t.Error("Run does not end")
			}
		})
	}
	t.Cleanup(p.stop)
	return p
}

func newPeer(t testing.TB, url string, id *identity.Identity, modify func(*client.Options)) *peer {
	t.Helper()
	if id == nil {
		id = newID(t)
	}
	p := &peer{t: t, id: id, messages: make(chan string, 1000), states: make(chan change, 1000)}
	o := client.Options{
		URL: url, Identity: id, MinBackoff: 5 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
		OnMessage: func(_ context.Context, from identity.PeerID, payload string) {
			p.messages <- from.Short() + " " + payload
		},
		OnState: func(s client.State, err error) { p.states <- change{s, err} },
	}
	if modify != nil {
		modify(&o)
	}
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.Client = c
	return p
}

func newID(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// wait waits until the client reaches a state, and returns the reason.
func (p *peer) wait(want client.State) error {
	p.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case c := <-p.states:
			if c.state == want {
				return c.err
			}
		case <-deadline.C:
			p.t.Fatalf("still %v, want %v", p.State(), want)
		}
	}
}

func (p *peer) send(to *peer, payload string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Send(ctx, to.id.PeerID(), payload); err != nil {
		p.t.Errorf("send %s: %v", payload, err)
	}
}

func (p *peer) want(from *peer, payload string) {
	p.t.Helper()
	select {
	case got := <-p.messages:
		if want := from.id.PeerID().Short() + " " + payload; got != want {
			p.t.Errorf("received %q, want %q", got, want)
		}
	case <-time.After(patience):
		p.t.Fatalf("%s did not arrive", payload)
	}
}
