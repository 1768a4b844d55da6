package virtual

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"
)

// World is the internet, once for IPv4 and once for IPv6, and all that hangs on
// it. Networks, hosts and servers are made by one goroutine, the test's.
type World struct {
	// Constant after construction.
	t          testing.TB
	ipv4, ipv6 *vnet.Router

	// Owned by the test's goroutine.
	networks, publics, servers byte

	mu       sync.Mutex
	rng      *rand.Rand
	loss     float64
	drop     func(Packet) bool
	cut      bool
	straight map[netip.Addr]*Network // by the addresses of routers that do not hairpin
}

// New makes an internet that takes oneWay from any network to any other; within
// a network packets take no time.
func New(t testing.TB, oneWay time.Duration) *World {
	t.Helper()
	w := &World{t: t, straight: map[netip.Addr]*Network{}, rng: rand.New(rand.NewPCG(1, 2))}
	w.ipv4 = w.router(vnet.RouterConfig{CIDR: "0.0.0.0/0", MinDelay: oneWay})
	w.ipv6 = w.router(vnet.RouterConfig{CIDR: "::/0", MinDelay: oneWay})
	for _, r := range []*vnet.Router{w.ipv4, w.ipv6} {
		r.AddChunkFilter(w.carries)
		w.check(r.Start())
		t.Cleanup(func() { _ = r.Stop() })
	}
	return w
}

// Lose makes the internet lose a share of its packets, 0 to 1, by chance, but by
// the same chance in every run.
func (w *World) Lose(share float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = share
}

// Packet is a packet on the internet, with the addresses it has there.
type Packet struct {
	From, To netip.AddrPort
	Payload  []byte // not to be changed or kept
}

// Drop shows f every packet when it has crossed the internet, and loses those
// for which f returns true; nil ends it. f must not block.
func (w *World) Drop(f func(Packet) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop = f
}

// Cut loses every packet from now on, within networks too.
func (w *World) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
}

// Mend ends Cut.
func (w *World) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

func (w *World) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// carries is the internet's filter.
func (w *World) carries(c vnet.Chunk) bool {
	from, to := ends(c)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.cut, !w.hairpinsLocked(from, to):
		return false
	case w.drop != nil && w.drop(Packet{from, to, c.UserData()}):
		return false
	}
	return w.loss == 0 || w.rng.Float64() >= w.loss
}

// hairpins is the filter of a network with routers in it. vnet itself hands a
// packet that a router sent to its own address back to it; here it ends if that
// router does no such thing.
func (w *World) hairpins(c vnet.Chunk) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hairpinsLocked(ends(c))
}

func (w *World) hairpinsLocked(from, to netip.AddrPort) bool {
	n := w.straight[to.Addr()]
	return n == nil || n != w.straight[from.Addr()]
}

func (w *World) noHairpin(a netip.Addr, n *Network) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.straight[a] = n
}

// router makes a router that is not started yet.
func (w *World) router(c vnet.RouterConfig) *vnet.Router {
	w.t.Helper()
	c.LoggerFactory = logging.NewDefaultLoggerFactory()
	making.Lock()
	defer making.Unlock()
	r, err := vnet.NewRouter(&c)
	w.check(err)
	return r
}

// net makes one for a host; its address is optional.
func (w *World) net(addrs ...string) *vnet.Net {
	w.t.Helper()
	making.Lock()
	defer making.Unlock()
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: addrs})
	w.check(err)
	return n
}

// making guards vnet's counter of hardware addresses, which nothing else does:
// worlds of tests that run at a time share it.
var making sync.Mutex //nolint:gochecknoglobals // guards a global of vnet

func (w *World) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("virtual network: %v", err)
	}
}

// public returns a further public address, 203.0.113.1 and up.
func (w *World) public() netip.Addr {
	w.publics++
	return netip.AddrFrom4([4]byte{203, 0, 113, w.publics})
}

// Server makes a host for a server, at 198.51.100.1 and up.
func (w *World) Server() *Host {
	w.t.Helper()
	w.servers++
	return w.host(w.ipv4, netip.AddrFrom4([4]byte{198, 51, 100, w.servers}))
}

// ends returns the addresses a packet has at the moment.
func ends(c vnet.Chunk) (from, to netip.AddrPort) {
	return addrPort(c.SourceAddr()), addrPort(c.DestinationAddr())
}

func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := u.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
