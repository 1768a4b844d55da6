package peer

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
)

// Limits of ICE-TCP: whoever connects must say whom it means at once, and there
// are few places.
const (
	maxTCP           = 128
	firstTCPMessage  = 5 * time.Second
	unclaimedTCP     = 5 * time.Second
	tcpWriteBuffer   = 512 << 10
	tcpReadBuffer    = 8
	maxMappingWaiter = 10 * time.Second
)

// portOptions configure a port.
type portOptions struct {
	addr       string // ":0" by default
	net        transport.Net
	interfaces []string
	loopback   bool
	stun       []string
	portMap    bool
	mapSecret  []byte
	external   []netip.AddrPort
	tcp        bool
	media      bool // media comes in, not only out
	unknown    requestFilter
	onChange   func(moved bool)
	log        *slog.Logger
}

// port is one UDP socket, perhaps a TCP one of the same number, and everything
// that goes through it: the sessions' packets, found by their ICE fragment, and
// STUN of our own, which learns how the port looks from outside.
type port struct {
	// Constant after construction.
	o        portOptions
	conn     *batchConn
	mux      *udpMux
	tcp      *ice.TCPMuxDefault // nil without
	exchange *nat.Exchange
	watcher  *nat.Watcher
	mapper   *portmap.Client // nil without
	tie      uint64          // breaks ties between ICE roles; never needed

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// udpMux is pion's, with one address per protocol family for it to work with.
// What is told to others is the port's own list: pion would check every pair of
// addresses, all through the same socket.
type udpMux struct {
	*ice.UDPMuxDefault
	addresses func() []net.Addr
}

// GetListenAddresses implements ice.UDPMux.
func (m *udpMux) GetListenAddresses() []net.Addr { return m.addresses() }

func openPort(o portOptions) (*port, error) {
	if o.addr == "" {
		o.addr = ":0"
	}
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	if o.onChange == nil {
		o.onChange = func(bool) {}
	}
	raw, err := listenUDP(o)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s (is the port taken?): %w", o.addr, err)
	}
	p := &port{o: o, conn: newBatchConn(raw)}
	p.exchange = nat.NewExchange(func(b []byte, to netip.AddrPort) error {
		_, err := p.conn.WriteToAddrPort(b, to)
		return err
	})
	p.conn.media, p.conn.exchange, p.conn.unknown = o.media, p.exchange, o.unknown
	var tie [8]byte
	_, _ = rand.Read(tie[:]) // never fails
	p.tie = binary.BigEndian.Uint64(tie[:])
	local := p.local()
	p.watcher = nat.NewWatcher(nat.WatcherOptions{
		Exchange: p.exchange, Servers: o.stun, LoopbackOnly: local.Addr().IsLoopback(), Port: local.Port(), OnChange: p.changed, Logger: o.log,
		Interfaces: nat.Interfaces{Net: o.net, Only: o.interfaces, Loopback: o.loopback},
	})
	logger := pionLog{o.log}.NewLogger("ice")
	p.mux = &udpMux{ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: p.conn, Net: o.net, Logger: logger}), p.muxAddresses}
	if o.tcp {
		if err := p.listenTCP(local); err != nil {
			_ = p.mux.Close()
			return nil, err
		}
	}
	if o.portMap && !local.Addr().IsLoopback() {
		p.mapper, err = portmap.New(portmap.Options{
			Port: local.Port(), TCP: p.tcp != nil, Secret: o.mapSecret, Verify: p.verify, OnChange: func() { o.onChange(false) }, Logger: o.log,
		})
		if err != nil {
			return nil, errors.Join(err, p.closeSockets())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.running.Go(func() { p.watcher.Run(ctx) })
	if p.mapper != nil {
		p.running.Go(func() { _ = p.mapper.Run(ctx) }) // only ever ctx's error
	}
	return p, nil
}

func listenUDP(o portOptions) (net.PacketConn, error) {
	if o.net != nil {
		return o.net.ListenPacket("udp4", o.addr)
	}
	addr, err := net.ResolveUDPAddr("udp", o.addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, err
	}
	_ = c.SetReadBuffer(socketBuffer) // as far as the system allows
	_ = c.SetWriteBuffer(socketBuffer)
	return c, nil
}

// listenTCP opens the TCP port of the same number.
func (p *port) listenTCP(at netip.AddrPort) error {
	addr := at.String()
	if at.Addr().IsUnspecified() {
		addr = fmt.Sprintf(":%d", at.Port())
	}
	lc := net.ListenConfig{}
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on TCP %s, the number of the UDP port (is it taken?): %w", addr, err)
	}
	p.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: newTCPLimit(l, maxTCP), Logger: pionLog{p.o.log}.NewLogger("ice-tcp"),
		ReadBufferSize: tcpReadBuffer, WriteBufferSize: tcpWriteBuffer,
		FirstStunBindTimeout: firstTCPMessage, AliveDurationForConnFromStun: unclaimedTCP,
	})
	return nil
}

// changed is called by the watcher.
func (p *port) changed(moved bool) {
	if moved && p.mapper != nil {
		p.mapper.Renew()
	}
	p.o.onChange(moved)
}

// verify compares what the router says with what a STUN server sees.
func (p *port) verify(ctx context.Context, m portmap.Mapping) error {
	ctx, cancel := context.WithTimeout(ctx, maxMappingWaiter)
	defer cancel()
	select {
	case <-p.watcher.Known():
	case <-ctx.Done():
		return nil // nobody to ask
	}
	seen := p.watcher.State().Reflexive
	for _, a := range seen {
		if a.Addr() == m.External.Addr() {
			return nil
		}
	}
	if len(seen) == 0 {
		return nil
	}
	return fmt.Errorf("the router says that its address is %s, but from outside it is %s", m.External.Addr(), seen[0].Addr())
}

// local is the UDP socket's address.
func (p *port) local() netip.AddrPort {
	a, err := netip.ParseAddrPort(p.conn.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// addresses are the machine's own that the socket is bound to.
func (p *port) addresses() []netip.Addr {
	local := p.local().Addr()
	if !local.IsUnspecified() {
		return []netip.Addr{local}
	}
	host := p.watcher.State().Host
	if local.Is4() {
		host = slices.DeleteFunc(host, func(a netip.Addr) bool { return !a.Is4() })
	}
	return host
}

// muxAddresses gives pion one address per family to attach its sessions to. The
// socket chooses the real one for each packet.
func (p *port) muxAddresses() []net.Addr {
	local := p.local()
	if !local.Addr().IsUnspecified() {
		return []net.Addr{p.conn.LocalAddr()}
	}
	four, six := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	for _, a := range slices.Backward(p.addresses()) { // the first of each is kept
		if a.Is4() {
			four = a
		} else {
			six = a
		}
	}
	out := []net.Addr{net.UDPAddrFromAddrPort(netip.AddrPortFrom(four, local.Port()))}
	if local.Addr().Is6() {
		out = append(out, net.UDPAddrFromAddrPort(netip.AddrPortFrom(six, local.Port())))
	}
	return out
}

// candidates returns everything by which the port can perhaps be reached, the
// best of each kind first.
func (p *port) candidates() []nat.Candidate {
	number := p.local().Port()
	var out []nat.Candidate
	base := map[bool]netip.AddrPort{}
	for _, a := range slices.Backward(p.addresses()) {
		base[a.Is4()] = netip.AddrPortFrom(a, number)
	}
	add := func(kind nat.Kind, transport, by string, a netip.AddrPort) {
		c := nat.Candidate{Kind: kind, Transport: transport, Address: a, Base: base[a.Addr().Is4()], By: by}
		if kind == nat.Host {
			c.Base = a
		}
		known := func(k nat.Candidate) bool { return k.Transport == c.Transport && k.Address == c.Address }
		if c.Base.IsValid() && !slices.ContainsFunc(out, known) {
			out = append(out, c)
		}
	}
	for _, a := range p.addresses() {
		add(nat.Host, "udp", "", netip.AddrPortFrom(a, number))
	}
	for _, a := range p.o.external {
		add(nat.Mapped, "udp", "configured", a)
	}
	for _, m := range p.mappings() {
		if !m.DoubleNAT {
			add(nat.Mapped, m.Transport, string(m.Protocol), m.External)
		}
	}
	for _, a := range p.watcher.State().Reflexive {
		add(nat.ServerReflexive, "udp", "stun", a)
	}
	if p.tcp != nil {
		for _, a := range p.addresses() {
			add(nat.Host, "tcp", "", netip.AddrPortFrom(a, number))
		}
	}
	return out
}

func (p *port) mappings() []portmap.Mapping {
	if p.mapper == nil {
		return nil
	}
	return p.mapper.Mappings()
}

// lines returns the candidates as attribute values.
func (p *port) lines() []string {
	places := map[nat.Kind]int{}
	var out []string
	for _, c := range p.candidates() {
		out = append(out, c.Line(places[c.Kind]))
		places[c.Kind]++
	}
	return out
}

// close gives everything back. Who uses the port must have ended.
func (p *port) close() error {
	p.cancel()
	p.running.Wait()
	return p.closeSockets()
}

func (p *port) closeSockets() error {
	err := p.mux.Close()
	_ = p.conn.Close() // the mux has closed it, as a rule
	if p.tcp != nil {
		err = errors.Join(err, p.tcp.Close())
	}
	return err
}
