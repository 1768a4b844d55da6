package peer

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"
)

func TestSession_EndsWhenTheViewerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 5 * time.Millisecond})
		b.play(time.Second)
		if st := b.session.Stats(); !st.Connected || st.Path != "direct" || st.Frames == 0 {
			t.Fatalf("stats %+v", st)
		}
		select {
		case <-b.session.Connected():
		default:
			t.Fatal("a session that plays is not said to be connected")
		}
		_ = b.viewer.pc.GracefulClose()
		select {
		case <-b.session.Done():
		case <-time.After(2 * time.Second):
			t.Fatal("the session goes on without its viewer")
		}
		if err := b.session.Err(); err != nil {
			t.Fatalf("a viewer that leaves is no error: %v", err)
		}
		b.close()
	})
}

func TestSession_EndsWhenThePathStaysDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 5 * time.Millisecond})
		b.play(time.Second)
		b.net.wan.AddChunkFilter(func(vnet.Chunk) bool { return false })
		start := time.Now()
		<-b.session.Done()
		if d := time.Since(start); d < 10*time.Second || d > 40*time.Second {
			t.Fatalf("ended %v after the cut", d)
		}
		if b.session.Err() == nil {
			t.Fatal("no error says why")
		}
		b.close()
	})
}

func TestSession_GoesOnAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 20 * time.Millisecond})
		var cut atomic.Bool
		b.net.wan.AddChunkFilter(func(vnet.Chunk) bool { return !cut.Load() })
		b.play(3 * time.Second)
		cut.Store(true)
		b.play(8 * time.Second)
		cut.Store(false)
		back := time.Now()
		b.play(8 * time.Second)
		end := time.Now()
		b.close()
		after := b.between(back, end)
		if len(after) < 100 {
			t.Fatalf("only %d of 200 frames in the 8 s after an outage", len(after))
		}
		if d := quantile(b.delays(b.between(end.Add(-2*time.Second), end)), 1); d > 100*time.Millisecond {
			t.Fatalf("%v behind live after an outage", d)
		}
	})
}

// reoffer makes a later offer and takes its answer.
func (v *testViewer) reoffer(t *testing.T, s *Session, pick func(mid, kind string) Stream) {
	t.Helper()
	offer, err := v.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Renegotiate(t.Context(), Offer{SDP: v.pc.LocalDescription().SDP, Pick: pick})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

// counter reads a track and counts its packets.
type counter struct{ packets atomic.Int64 }

func countPackets(tr *webrtc.TrackRemote) *counter {
	c := &counter{}
	go func() {
		for {
			if _, _, err := tr.ReadRTP(); err != nil {
				return
			}
			c.packets.Add(1)
		}
	}()
	return c
}

// during returns how many packets come in a while.
func (c *counter) during(d time.Duration) int64 {
	before := c.packets.Load()
	time.Sleep(d) //nolint:forbidigo // virtual time
	return c.packets.Load() - before
}

func TestSession_CamerasAreAddedAndDroppedByRenegotiation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newTestNet(t, 5*time.Millisecond)
		if err := n.wan.Start(); err != nil {
			t.Fatal(err)
		}
		e, err := Listen(EndpointOptions{Certificate: testCertificate(t), Net: n.publisher, Addr: "1.2.3.4:5000"})
		if err != nil {
			t.Fatal(err)
		}
		front, back := newTestStream(1), newTestStream(1)
		stop := make(chan struct{})
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 0; ; i++ {
				for _, s := range []*testStream{front, back} {
					s.publish(0, i%25 == 0, 500)
				}
				select {
				case <-stop:
					return
				case <-time.After(frameTime):
				}
			}
		}()
		v := newTestViewer(t, n.viewer)
		s := v.connect(t, e, front)
		first := countPackets(<-v.tracks)
		if got := first.during(2 * time.Second); got < 45 {
			t.Fatalf("%d packets of the first camera in 2 s", got)
		}

		tr, err := v.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			t.Fatal(err)
		}
		v.reoffer(t, s, func(mid, _ string) Stream {
			if mid == tr.Mid() {
				return back
			}
			return front
		})
		second := countPackets(<-v.tracks)
		if got := second.during(2 * time.Second); got < 45 {
			t.Fatalf("%d packets of the second camera in 2 s", got)
		}
		if got := first.during(time.Second); got < 20 {
			t.Fatalf("%d packets of the first camera in 1 s beside the second", got)
		}

		v.reoffer(t, s, func(mid, _ string) Stream {
			if mid == tr.Mid() {
				return back
			}
			return nil
		})
		first.during(time.Second) // what was on its way
		if got := first.during(2 * time.Second); got != 0 {
			t.Fatalf("%d packets of a camera that was dropped", got)
		}
		if got := second.during(time.Second); got < 20 {
			t.Fatalf("%d packets of the camera that stayed", got)
		}

		v.reoffer(t, s, func(mid, _ string) Stream {
			if mid == tr.Mid() {
				return back
			}
			return front
		})
		if got := first.during(2 * time.Second); got < 20 {
			t.Fatalf("%d packets of a camera that was taken up again", got)
		}
		_ = v.pc.GracefulClose()
		_ = s.Close()
		close(stop)
		<-stopped
		_ = e.Close()
		n.close()
	})
}

func TestSession_ASectionThatCarriesNothingCanBeUsedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 5 * time.Millisecond})
		stream := b.stream
		b.viewer.reoffer(t, b.session, func(string, string) Stream { return nil })
		b.play(time.Second)
		before := b.session.Stats().Frames
		b.play(time.Second)
		if n := b.session.Stats().Frames - before; n != 0 {
			t.Fatalf("%d frames of nothing", n)
		}
		b.viewer.reoffer(t, b.session, func(string, string) Stream { return stream })
		b.play(2 * time.Second)
		if n := b.session.Stats().Frames - before; n < 45 {
			t.Fatalf("%d frames in 2 s", n)
		}
		b.close()

		n := newTestNet(t, 5*time.Millisecond)
		if err := n.wan.Start(); err != nil {
			t.Fatal(err)
		}
		e, err := Listen(EndpointOptions{Certificate: testCertificate(t), Net: n.publisher, Addr: "1.2.3.4:5000"})
		if err != nil {
			t.Fatal(err)
		}
		v := newTestViewer(t, n.viewer)
		s := v.connect(t, e, nil)
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
		v.reoffer(t, s, func(string, string) Stream { return stream })
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
		if s.Stats().Frames == 0 {
			t.Fatal("a section that carried nothing in the first offer stays empty")
		}
		_ = v.pc.GracefulClose()
		_ = s.Close()
		_ = e.Close()
		n.close()
	})
}

func TestEndpoint_RefusesMoreSessionsThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newTestNet(t, time.Millisecond)
		if err := n.wan.Start(); err != nil {
			t.Fatal(err)
		}
		e, err := Listen(EndpointOptions{Certificate: testCertificate(t), Net: n.publisher, Addr: "1.2.3.4:5000", MaxSessions: 1})
		if err != nil {
			t.Fatal(err)
		}
		v := newTestViewer(t, n.viewer)
		s := v.connect(t, e, newTestStream(1))
		offer := v.pc.LocalDescription().SDP
		if _, _, err := e.Answer(t.Context(), Offer{SDP: offer}); !errors.Is(err, ErrBusy) {
			t.Fatalf("error %v, want ErrBusy", err)
		}
		_ = s.Close()
		again, _, err := e.Answer(t.Context(), Offer{SDP: offer})
		if err != nil {
			t.Fatalf("the place of a closed session is not free: %v", err)
		}
		_ = again.Close()
		_ = v.pc.GracefulClose()
		_ = e.Close()
		n.close()
	})
}

const minimalOffer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

func TestParseOffer_RefusesWhatCannotBeAnswered(t *testing.T) {
	for _, tt := range []struct{ name, sdp, want string }{
		{"nothing", "", "0 media sections"},
		{"text", "v=hello\r\n", "not a session description"},
		{"no media", minimalOffer, "0 media sections"},
		{"no mid", minimalOffer + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "no mid"},
		{"another kind", minimalOffer + "m=text 9 RTP/AVP 96\r\na=mid:0\r\n", `kind "text"`},
		{"too many", minimalOffer + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n", maxSections+1), "media sections"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseOffer(tt.sdp)
			if !errors.Is(err, ErrBadOffer) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func FuzzEndpoint_Offer(f *testing.F) {
	f.Add(minimalOffer + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtpmap:96 H264/90000\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=rtcp-mux\r\na=fingerprint:sha-256 00:11\r\n")
	f.Add(minimalOffer)
	e, err := Listen(EndpointOptions{Certificate: testCertificate(f), Addr: "127.0.0.1:0", Loopback: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Close() })
	st := newTestStream(1)
	f.Fuzz(func(t *testing.T, sdp string) {
		s, _, err := e.Answer(t.Context(), Offer{SDP: sdp, Pick: func(string, string) Stream { return st }})
		if err == nil {
			_ = s.Close()
		}
	})
}
