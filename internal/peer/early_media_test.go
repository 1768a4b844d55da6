package peer

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// scripted is a socket that packets come from, each with something that happens before.
type scripted struct {
	net.PacketConn
	script []cue
}

type cue struct {
	before func()
	packet []byte
}

func (s *scripted) ReadFrom(p []byte) (int, net.Addr, error) {
	if len(s.script) == 0 {
		return 0, nil, io.EOF
	}
	a := s.script[0]
	s.script = s.script[1:]
	if a.before != nil {
		a.before()
	}
	return copy(p, a.packet), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:5000")), nil
}

// mediaPacket is an RTP packet of a stream.
func mediaPacket(ssrc uint32, seq uint16) []byte {
	p := make([]byte, 20)
	p[0], p[1] = 0x80, 96
	binary.BigEndian.PutUint16(p[2:], seq)
	binary.BigEndian.PutUint32(p[8:], ssrc)
	return p
}

func TestEarlyMedia_WaitsForItsDescriptionAndKeepsItsOrder(t *testing.T) {
	const known, fresh = 1, 2
	control := append([]byte{20}, make([]byte, 40)...) // DTLS
	s := &scripted{}
	c := newBatchConn(s)
	c.media = true
	var release func()
	s.script = []cue{
		{nil, mediaPacket(known, 1)},
		{func() { release = c.early.hold([]uint32{known}) }, mediaPacket(fresh, 1)},
		{nil, mediaPacket(known, 2)},
		{nil, control},
		{nil, mediaPacket(fresh, 2)},
		{func() { release() }, mediaPacket(fresh, 3)}, // while the socket is being read
		{nil, mediaPacket(fresh, 4)},
		{nil, mediaPacket(known, 3)},
	}
	want := [][]byte{
		mediaPacket(known, 1), mediaPacket(known, 2), control,
		mediaPacket(fresh, 1), mediaPacket(fresh, 2), mediaPacket(fresh, 3), mediaPacket(fresh, 4), mediaPacket(known, 3),
	}
	p := make([]byte, 1500)
	for i, w := range want {
		n, from, err := c.ReadFromAddrPort(p)
		if err != nil || !slices.Equal(p[:n], w) || from.Port() != 5000 {
			t.Fatalf("packet %d is %x from %v, want %x: %v", i, p[:n], from, w, err)
		}
	}
	if c.early.busy.Load() {
		t.Error("it still looks at every packet, and nothing is held")
	}
}

func TestEarlyMedia_IsBounded(t *testing.T) {
	var e earlyMedia
	release := e.hold(nil)
	for i := range 2 * maxEarly {
		if !e.take(mediaPacket(7, uint16(i)), netip.AddrPort{}) {
			t.Fatal("a packet passes")
		}
	}
	release()
	n := 0
	for p := make([]byte, 1500); ; n++ {
		if _, _, ok := e.next(p); !ok {
			break
		}
	}
	if n != maxEarly {
		t.Errorf("%d packets were held, want %d", n, maxEarly)
	}
}
