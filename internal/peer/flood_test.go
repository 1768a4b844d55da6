package peer

import (
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
	_ = rx.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 2000)
	if n, from, err := in.ReadFromAddrPort(buf); err != nil || n != len(stun) || !from.IsValid() {
		t.Fatalf("%d bytes from %v, %v: media of a viewer got through", n, from, err)
	}
}
