package peer

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
)

func rtpPacket(ssrc uint32, size int, fill byte) []byte {
	p := bytes.Repeat([]byte{fill}, size)
	p[0], p[1] = 0x80, 96
	binary.BigEndian.PutUint32(p[8:], ssrc)
	return p
}

func udpPair(t testing.TB) (tx *batchConn, rx *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	rx = listen()
	to = netip.MustParseAddrPort(rx.LocalAddr().String())
	return newBatchConn(listen()), rx, to
}

func receive(t *testing.T, rx *net.UDPConn) []byte {
	t.Helper()
	_ = rx.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 2000)
	n, err := rx.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestBatch_PacketsArriveAsWritten(t *testing.T) {
	for _, gso := range []bool{true, false} {
		tx, rx, to := udpPair(t)
		if !gso {
			tx.disabled.Store(true)
		}
		b := tx.newBatch(7, 8)
		sizes := []int{1200, 1200, 1200, 300, 1200, 900, 901, 12, 1200, 1200}
		for i, n := range sizes {
			ssrc := uint32(7)
			if i == 2 {
				ssrc = 8
			}
			if _, err := tx.WriteToAddrPort(rtpPacket(ssrc, n, byte(i)), to); err != nil {
				t.Fatal(err)
			}
		}
		b.flush()
		for i, n := range sizes {
			got := receive(t, rx)
			if len(got) != n || (n > 12 && got[n-1] != byte(i)) {
				t.Fatalf("gso %v: packet %d: %d bytes ending in %d, want %d ending in %d", gso, i, len(got), got[len(got)-1], n, i)
			}
		}
		b.close()
	}
}

func TestBatch_OnlyItsOwnStreamsAreHeld(t *testing.T) {
	tx, rx, to := udpPair(t)
	b := tx.newBatch(7)
	defer b.close()
	held := rtpPacket(7, 100, 1)
	other := rtpPacket(9, 101, 2)
	rtcp := rtpPacket(7, 102, 3)
	rtcp[1] = 200
	stun := make([]byte, 103)
	for _, p := range [][]byte{held, other, rtcp, stun} {
		if _, err := tx.WriteToAddrPort(p, to); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{101, 102, 103} {
		if got := len(receive(t, rx)); got != want {
			t.Fatalf("got a packet of %d bytes, want %d", got, want)
		}
	}
	b.flush()
	if got := len(receive(t, rx)); got != 100 {
		t.Fatalf("got %d bytes, want the held packet", got)
	}
}

func TestBatch_MoreThanATrainLosesNothing(t *testing.T) {
	tx, rx, to := udpPair(t)
	_ = rx.SetReadBuffer(1 << 20)
	b := tx.newBatch(7)
	defer b.close()
	const n = 3*maxSegments + 5
	for i := range n {
		_, _ = tx.WriteToAddrPort(rtpPacket(7, 1100, byte(i)), to)
	}
	b.flush()
	for i := range n {
		if got := receive(t, rx); got[1099] != byte(i) {
			t.Fatalf("packet %d has %d", i, got[1099])
		}
	}
}

func BenchmarkBatch_Frame(b *testing.B) {
	tx, rx, to := udpPair(b)
	go func() {
		buf := make([]byte, 2000)
		for {
			if _, err := rx.Read(buf); err != nil {
				return
			}
		}
	}()
	bt := tx.newBatch(7)
	defer bt.close()
	p := rtpPacket(7, 1200, 1)
	b.ReportAllocs()
	for range b.N {
		for range 8 {
			_, _ = tx.WriteToAddrPort(p, to)
		}
		bt.flush()
	}
}
