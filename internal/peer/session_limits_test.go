package peer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
)

// pair is an endpoint and two cameras, and a viewer of it.
type pair struct {
	t           *testing.T
	net         *testNet
	endpoint    *Endpoint
	front, back *testStream
	stop, done  chan struct{}
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, net: newTestNet(t, 5*time.Millisecond), front: newTestStream(1), back: newTestStream(1), stop: make(chan struct{}), done: make(chan struct{})}
	if err := p.net.wan.Start(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.endpoint, err = Listen(EndpointOptions{Certificate: testCertificate(t), Net: p.net.publisher, Addr: "1.2.3.4:5000"}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for i := 0; ; i++ {
			for _, s := range []*testStream{p.front, p.back} {
				s.publish(0, i%25 == 0, 500)
			}
			select {
			case <-p.stop:
				return
			case <-time.After(frameTime):
			}
		}
	}()
	return p
}

func (p *pair) close() {
	close(p.stop)
	<-p.done
	if err := p.endpoint.Close(); err != nil {
		p.t.Error(err)
	}
	p.net.close()
}

func TestSession_ASectionWithoutAStreamTakesNoOtherOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		v := newTestViewer(t, p.net.viewer)
		second, err := v.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			t.Fatal(err)
		}
		v.tracks = make(chan *webrtc.TrackRemote, 4)
		counters := map[string]*counter{}
		ready := make(chan struct{}, 4)
		v.pc.OnTrack(func(tr *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
			counters[r.RTPTransceiver().Mid()] = countPackets(tr)
			ready <- struct{}{}
		})
		s := v.connectPick(t, p.endpoint, func(mid, _ string) Stream {
			if mid == "1" {
				return p.back
			}
			return nil
		})
		<-ready
		if second.Mid() != "1" || counters["1"] == nil || counters["0"] != nil {
			t.Fatalf("the stream of section 1 came in %v", counters)
		}
		// Later the first section gets a camera too.
		v.reoffer(t, s, func(mid, _ string) Stream {
			if mid == "1" {
				return p.back
			}
			return p.front
		})
		select {
		case <-ready:
		case <-time.After(3 * time.Second):
			t.Fatal("a section that began without a stream never gets one")
		}
		if got := counters["0"].during(time.Second); got < 20 {
			t.Fatalf("%d packets of a camera that was added", got)
		}
		_ = v.pc.GracefulClose()
		_ = s.Close()
		p.close()
	})
}

func TestSession_SectionsOfALifetimeAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		v := newTestViewer(t, p.net.viewer)
		s := v.connect(t, p.endpoint, p.front)
		<-v.tracks
		offer := v.pc.LocalDescription().SDP
		var err error
		for i := 0; err == nil && i < 3*maxSections; i++ {
			mid := fmt.Sprintf("x%d", i)
			renamed := strings.ReplaceAll(strings.ReplaceAll(offer, "a=mid:0", "a=mid:"+mid), "BUNDLE 0", "BUNDLE "+mid)
			_, err = s.Renegotiate(t.Context(), Offer{SDP: renamed, Pick: func(string, string) Stream { return p.front }})
		}
		if !errors.Is(err, ErrBadOffer) {
			t.Fatalf("error %v, want ErrBadOffer", err)
		}
		s.mu.Lock()
		n := len(s.tracks)
		s.mu.Unlock()
		if n > maxSections {
			t.Fatalf("%d senders in one session", n)
		}
		_ = v.pc.GracefulClose()
		_ = s.Close()
		p.close()
	})
}

func TestSession_CandidatesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		v := newTestViewer(t, p.net.viewer)
		s := v.connect(t, p.endpoint, p.front)
		<-v.tracks
		var err error
		for i := range 10_000 {
			if err = s.AddCandidate(fmt.Sprintf("candidate:1 1 udp 2130706431 10.0.%d.%d %d typ host", i>>8&255, i&255, 1000+i), "0"); err != nil {
				break
			}
		}
		if !errors.Is(err, errTooManyCandidates) {
			t.Fatalf("error %v, want errTooManyCandidates", err)
		}
		_ = v.pc.GracefulClose()
		_ = s.Close()
		p.close()
	})
}
