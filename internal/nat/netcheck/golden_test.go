package netcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
	"github.com/sightline-cam/sightline/signaling"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // flags are

// network is a network to examine, and what there is around it.
type network struct {
	name    string
	kind    virtual.Kind
	options virtual.NetworkOptions
	portMap *portmap.Report
	relay   bool          // over UDP
	tcp     bool          // a relay over TCP
	ahead   time.Duration // of our clock
}

func networks() []network {
	by := func(p portmap.Protocol, external string) *portmap.Report {
		r := &portmap.Report{
			Gateway: netip.MustParseAddr("192.168.1.1"), Local: netip.MustParseAddr("192.168.1.101"),
			External: netip.MustParseAddr(external),
		}
		for _, q := range []portmap.Protocol{portmap.PCP, portmap.NATPMP, portmap.UPnP} {
			state := portmap.NoAnswer
			if p == q {
				state = portmap.Mapped
			}
			r.Protocols = append(r.Protocols, portmap.ProtocolReport{Protocol: q, State: state})
		}
		return r
	}
	return []network{
		{name: "public", kind: virtual.Public, relay: true},
		{name: "full-cone", kind: virtual.FullCone},
		{name: "address-restricted", kind: virtual.AddressRestricted, options: virtual.NetworkOptions{NoHairpin: true}},
		{name: "port-restricted", kind: virtual.PortRestricted, options: virtual.NetworkOptions{NoHairpin: true}},
		{name: "port-mapped", kind: virtual.PortRestricted, portMap: by(portmap.UPnP, "203.0.113.1")},
		{name: "symmetric", kind: virtual.Symmetric, relay: true, ahead: time.Minute},
		{name: "cgnat", kind: virtual.CGNAT, portMap: by(portmap.PCP, "100.64.2.101")},
		{name: "ipv6", kind: virtual.IPv6},
		{name: "blocked", kind: virtual.Blocked, relay: true, tcp: true},
		{name: "blocked-without-relay", kind: virtual.Blocked},
	}
}

// Every network gives the same report in every run, to the millisecond.
func TestCheck_SaysWhatEachKindOfNetworkIs(t *testing.T) {
	for _, n := range networks() {
		t.Run(n.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := n.check(t)
				var text bytes.Buffer
				if err := WriteText(&text, r.Verdict(), []Section{{"Network", r.Explain()}, {"Signaling", r.Signal.Explain()}}); err != nil {
					t.Fatal(err)
				}
				golden(t, n.name+".txt", text.Bytes())
				data, err := json.MarshalIndent(r, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				golden(t, n.name+".json", append(data, '\n'))
			})
		})
	}
}

func (n *network) check(t *testing.T) Report {
	w := virtual.New(t, oneWay)
	var servers []signaling.ICEServer
	if n.kind != virtual.IPv6 { // which has an internet of its own, without servers
		_, s := stunService(t, w)
		servers = append(servers, s)
	}
	login := func(url string) signaling.ICEServer {
		return signaling.ICEServer{URLs: []string{url}, Username: virtual.TURNUser, Credential: virtual.TURNPassword}
	}
	if n.relay {
		servers = append(servers, login("turn:"+w.Server().ServeTURN().String()))
	}
	lines := newSwitchboard()
	if n.tcp {
		lines.serveTURN(t, "relay.example:3478", w.Server())
		servers = append(servers, login("turn:relay.example:3478?transport=tcp"))
	}
	lines.serveHTTP(t, "signal.example:80", n.ahead)
	o := Options{Servers: servers, Signal: "ws://signal.example", Net: w.Network(n.kind, n.options).Host(), Dial: lines.dial}
	if n.portMap != nil {
		o.PortMap = func(context.Context) *portmap.Report { return n.portMap }
	}
	start := time.Now()
	r := Check(t.Context(), o)
	if took := time.Since(start); took > patience+100*time.Millisecond {
		t.Errorf("the check took %v", took)
	}
	for i := range r.STUN {
		withoutPort(&r.STUN[i].Mapped)
	}
	for i := range r.Relays {
		withoutPort(&r.Relays[i].Relayed)
	}
	return r
}

// withoutPort replaces a port that was chosen by chance.
func withoutPort(a *netip.AddrPort) {
	if a.IsValid() {
		*a = netip.AddrPortFrom(a.Addr(), 50000)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; if that is meant, run go test -update (-want +got):\n%s", path, diff)
	}
}

// switchboard stands for TCP, which virtual networks do not carry: connections
// are pipes to whoever listens.
type switchboard struct {
	lines map[string]chan net.Conn // constant once somebody dials
}

func newSwitchboard() *switchboard { return &switchboard{lines: map[string]chan net.Conn{}} }

func (s *switchboard) dial(ctx context.Context, _, address string) (net.Conn, error) {
	line, ok := s.lines[address]
	if !ok {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	<-time.After(2 * oneWay)
	here, there := net.Pipe()
	select {
	case line <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *switchboard) listen(address string) net.Listener {
	l := &lineListener{line: make(chan net.Conn), ended: make(chan struct{})}
	s.lines[address] = l.line
	return l
}

// lineListener is a net.Listener of a switchboard's address.
type lineListener struct {
	line  chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func (l *lineListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.line:
		return &lineConn{c}, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l *lineListener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

func (l *lineListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 99), Port: 1} }

// lineConn is a pipe that looks like TCP to the relay.
type lineConn struct{ net.Conn }

func (c *lineConn) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 99), Port: 1} }
func (c *lineConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 2} }

// serveHTTP starts something that looks like a signaling service.
func (s *switchboard) serveHTTP(t *testing.T, address string, ahead time.Duration) {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
		}
		w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
	})}
	l := s.listen(address)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
}

// serveTURN starts a relay over TCP.
func (s *switchboard) serveTURN(t *testing.T, address string, h *virtual.Host) {
	srv, err := turn.NewServer(turn.ServerConfig{
		Realm: "virtual", LoggerFactory: logging.NewDefaultLoggerFactory(),
		AuthHandler: func(r *turn.RequestAttributes) (string, []byte, bool) {
			return r.Username, turn.GenerateAuthKey(virtual.TURNUser, r.Realm, virtual.TURNPassword), true
		},
		ListenerConfigs: []turn.ListenerConfig{{Listener: s.listen(address), RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
			RelayAddress: net.IP(h.Addr.AsSlice()), Address: h.Addr.String(), Net: h,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
}
