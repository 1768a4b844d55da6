package relay

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
)

// channel is an allocation with one channel, opened without pion, so that
// nothing but the forwarding itself is measured.
type channel struct {
	*site
	near, far *net.UDPConn
	relay     netip.AddrPort
}

func openChannel(t testing.TB) *channel {
	s := start(t, func(o *Options) { o.Limits.BytesPerDay = 1 << 50 })
	near, far := peer(t), peer(t)
	a, err := s.open("udp4", newAgent(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &client{socket: s.sockets[0], at: addrPort(near.LocalAddr())}
	a.client.Store(c)
	c.socket.attach(c.at, a)
	a.change(func(p *peers) {
		p.permitted[loopback()] = true
		p.byNumber[0x4000], p.byPeer[addrPort(far.LocalAddr())] = addrPort(far.LocalAddr()), 0x4000
	})
	go func() { _, _, _ = a.ReadFrom(make([]byte, mtu)) }()
	return &channel{s, near, far, a.public}
}

// roundTrip sends frame, channel data, to the far side, and its content back.
func (c *channel) roundTrip(frame, buffer []byte) {
	c.t.Helper()
	if _, err := c.near.WriteToUDPAddrPort(frame, addrPort(c.udp)); err != nil {
		c.t.Fatal(err)
	}
	if n, from, err := c.far.ReadFromUDPAddrPort(buffer); err != nil || n != len(frame)-channelHeader || from != c.relay {
		c.t.Fatal(n, from, err)
	}
	if _, err := c.far.WriteToUDPAddrPort(frame[channelHeader:], c.relay); err != nil {
		c.t.Fatal(err)
	}
	if n, _, err := c.near.ReadFromUDPAddrPort(buffer); err != nil || string(buffer[:n]) != string(frame) {
		c.t.Fatal(n, err)
	}
}

func channelData(size int) []byte {
	frame := make([]byte, channelHeader+size)
	binary.BigEndian.PutUint16(frame, 0x4000)
	binary.BigEndian.PutUint16(frame[2:], uint16(size))
	for i := range size {
		frame[channelHeader+i] = byte(i)
	}
	return frame
}

func TestAllocation_ForwardsWithoutAllocating(t *testing.T) {
	c := openChannel(t)
	frame, buffer := channelData(1200), make([]byte, 2000)
	c.roundTrip(frame, buffer)
	if n := testing.AllocsPerRun(500, func() { c.roundTrip(frame, buffer) }); n >= 1 {
		t.Errorf("%v allocations for a packet each way", n)
	}
}

func TestAllocation_DropsWhatIsNoChannelData(t *testing.T) {
	c := openChannel(t)
	good := channelData(100)
	for i, bad := range [][]byte{
		{}, {0x40}, {0x40, 0}, {0x40, 0, 0}, {0x40, 0, 0, 1}, {0x40, 0, 0xff, 0xff, 1, 2, 3},
		append([]byte{0x40, 1, 0, 2}, 1, 2), // no such channel
		make([]byte, mtu),                   // perhaps cut short
		{0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := c.near.WriteToUDPAddrPort(bad, addrPort(c.udp)); err != nil {
			t.Fatal(i, err)
		}
	}
	c.roundTrip(good, make([]byte, 2000)) // the first that arrives anywhere
	c.counted("packets_total", 2)
}

func TestAllocation_CutsOffPaddingAndWhatIsBehind(t *testing.T) {
	c := openChannel(t)
	frame := append(channelData(5), 1, 2, 3)
	binary.BigEndian.PutUint16(frame[2:], 5)
	if _, err := c.near.WriteToUDPAddrPort(frame, addrPort(c.udp)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	if n, _, err := c.far.ReadFromUDPAddrPort(buffer); err != nil || n != 5 {
		t.Error(n, err)
	}
}

// disguised is a socket of an unknown kind, as a virtual network has them.
type disguised struct{ net.PacketConn }

func TestServer_RelaysOverSocketsOfOtherKinds(t *testing.T) {
	var at string
	s := start(t, func(o *Options) {
		at = o.Sockets[0].Conn.LocalAddr().String()
		o.Sockets[0].Conn = disguised{o.Sockets[0].Conn}
		o.TURN.Listen = func(network, address string) (net.PacketConn, error) {
			c, err := listenUDP(network, address)
			if err != nil {
				return nil, err
			}
			return disguised{c}, nil
		}
	})
	exchange(t, allocate(t, s.dial(listen(t), at, credential(s.opts.TURN.Secret, newAgent(t)))), peer(t), 5)
}

func BenchmarkAllocation_RoundTrip1200(b *testing.B) {
	c := openChannel(b)
	if err := c.near.SetDeadline(noDeadline()); err != nil {
		b.Fatal(err)
	}
	if err := c.far.SetDeadline(noDeadline()); err != nil {
		b.Fatal(err)
	}
	frame, buffer := channelData(1200), make([]byte, 2000)
	b.ReportAllocs()
	b.SetBytes(2 * 1200)
	for b.Loop() {
		c.roundTrip(frame, buffer)
	}
}
