package peer

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
)

func TestSession_EndsWhenTheViewerReportsOnStreamsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		v := newTestViewer(t, p.net.viewer)
		s := v.connect(t, p.endpoint, p.front)
		<-v.tracks
		for ssrc := range uint32(2000) {
			_ = v.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 1 + ssrc}})
			if ssrc%100 == 99 {
				time.Sleep(10 * time.Millisecond) //nolint:forbidigo // virtual time
			}
		}
		ended := false
		select {
		case <-s.Done():
			ended = true
		case <-time.After(time.Second):
		}
		err := s.Err()
		_ = v.pc.GracefulClose()
		_ = s.Close()
		p.close()
		if !ended || err == nil {
			t.Fatalf("ended %v, error %v: every stream reported on costs memory for the life of the session", ended, err)
		}
	})
}

func TestBatchConn_MediaFromViewersGoesNoFurther(t *testing.T) {
	tx, rx, to := udpPair(t)
	in := newBatchConn(rx)
	stun := make([]byte, 20)
	for _, m := range [][]byte{rtpPacket(1, 100, 1), rtpPacket(2, 1200, 2), stun} {
		if _, err := tx.WriteToAddrPort(m, to); err != nil {
			t.Fatal(err)
		}
	}
	_ = rx.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 2000)
	if n, from, err := in.ReadFromAddrPort(buf); err != nil || n != len(stun) || !from.IsValid() {
		t.Fatalf("%d bytes from %v, %v: media of a viewer got through", n, from, err)
	}
}

// moody is a socket whose reads fail now and then, as they do on Windows after
// a datagram that is too large.
type moody struct {
	net.PacketConn
	fail int
}

func (m *moody) ReadFrom(p []byte) (int, net.Addr, error) {
	if m.fail > 0 {
		m.fail--
		return 0, nil, errors.New("a message was larger than the buffer")
	}
	return m.PacketConn.ReadFrom(p)
}

func TestBatchConn_AFailedReadEndsNothing(t *testing.T) {
	tx, rx, to := udpPair(t)
	in := newBatchConn(&moody{rx, 3})
	if _, err := tx.WriteToAddrPort(make([]byte, 20), to); err != nil {
		t.Fatal(err)
	}
	_ = rx.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 2000)
	if n, _, err := in.ReadFromAddrPort(buf); n != 20 || err != nil {
		t.Fatalf("%d bytes, %v: the error would have closed the port for all viewers", n, err)
	}
	_ = rx.Close()
	if _, _, err := in.ReadFromAddrPort(buf); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("error %v of a closed socket", err)
	}
	in = newBatchConn(&moody{rx, 1 << 30})
	if _, _, err := in.ReadFromAddrPort(buf); err == nil {
		t.Fatal("no end")
	}
}
