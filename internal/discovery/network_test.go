package discovery

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// network is a cable between the LANs of a test, without a kernel: for tests in
// virtual time.
type network struct {
	mu    sync.Mutex
	ports []*fakeWire
	seen  [][]byte // every packet to the group
}

// fakeWire is one end of it.
type fakeWire struct {
	net  *network
	six  bool
	addr netip.AddrPort
	in   chan fakePacket
	done chan struct{}

	mu      sync.Mutex
	members []string // names of the interfaces on which the group was joined
	direct  [][]byte // packets that came for this end alone
}

type fakePacket struct {
	data  []byte
	index int
	from  netip.AddrPort
}

func (w *fakeWire) read(p []byte) (n, index int, from netip.AddrPort, err error) {
	select {
	case in := <-w.in:
		return copy(p, in.data), in.index, in.from, nil
	case <-w.done:
		return 0, 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (w *fakeWire) send(p []byte, via *net.Interface, to netip.AddrPort) error {
	n := w.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if !to.IsValid() {
		n.seen = append(n.seen, slices.Clone(p))
	}
	for _, o := range n.ports {
		if o.six != w.six || to.IsValid() && to != o.addr {
			continue
		}
		if to.IsValid() {
			o.mu.Lock()
			o.direct = append(o.direct, slices.Clone(p))
			o.mu.Unlock()
		}
		o.deliver(p, w.addr)
	}
	return nil
}

func (w *fakeWire) deliver(p []byte, from netip.AddrPort) {
	select {
	case w.in <- fakePacket{slices.Clone(p), 1, from}:
	default: // as a socket whose buffer is full
	}
}

func (w *fakeWire) join(i *net.Interface) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members = append(w.members, i.Name)
	return nil
}

func (w *fakeWire) leave(i *net.Interface) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members = slices.DeleteFunc(w.members, func(name string) bool { return name == i.Name })
	return nil
}

func (w *fakeWire) Close() error {
	close(w.done)
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	w.net.ports = slices.DeleteFunc(w.net.ports, func(o *fakeWire) bool { return o == w })
	return nil
}

// wireAt makes an end with an address of its own.
func (n *network) wireAt(addr string) *fakeWire {
	a := netip.MustParseAddr(addr)
	w := &fakeWire{net: n, six: a.Is6(), addr: netip.AddrPortFrom(a, mdnsPort), in: make(chan fakePacket, 1024), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ports = append(n.ports, w)
	return w
}

// attached is the interface of a machine with these prefixes.
func attached(name string, prefixes ...string) attachment {
	a := attachment{Interface: net.Interface{Index: 1, Name: name}}
	for _, p := range prefixes {
		a.prefixes = append(a.prefixes, netip.MustParsePrefix(p))
	}
	return a
}

// lan makes a machine in the network, with one interface and one IPv4 address in
// 192.168.1.0/24. It ends with the test.
func (n *network) lan(t *testing.T, addr string) (*LAN, *fakeWire) {
	t.Helper()
	w := n.wireAt(addr)
	l := New(Options{})
	l.listen = func(context.Context) (wire, wire, error) { return w, nil, nil }
	l.scan = func() ([]attachment, error) { return []attachment{attached("eth0", addr+"/24")}, nil }
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, w
}

// packets returns those to the group so far, as they were understood.
func (n *network) packets() []message {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []message
	for _, p := range n.seen {
		if m, ok := parse(p); ok {
			out = append(out, m)
		}
	}
	return out
}

// answers counts the responses to the group so far.
func (n *network) answers() int {
	count := 0
	for _, m := range n.packets() {
		if m.response {
			count++
		}
	}
	return count
}
