package peer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"
)

const frameTime = 40 * time.Millisecond

// bed is a publisher and a viewer, and a camera of 25 frames a second.
type bed struct {
	t        *testing.T
	net      *testNet
	link     *vnet.TBFQueue // towards the viewer; nil: unlimited
	endpoint *Endpoint
	viewer   *testViewer
	session  *Session
	stream   *testStream
	sizes    [][2]int // per rendition: bytes of a key frame, of another frame
	gop      int
	trace    bool
	away     [2]bool // renditions that deliver nothing
	frames   int
	got      []arrival
	stop     chan struct{}
	done     chan struct{}
}

type bedOptions struct {
	oneWay  time.Duration
	rate    int // bit/s of the link to the viewer, 0 = unlimited
	loss    float64
	sub     bool
	gop     int // frames, default 50
	preroll int // frames published before the viewer comes
	away    [2]bool
}

func newBed(t *testing.T, o bedOptions) *bed {
	t.Helper()
	if o.gop == 0 {
		o.gop = 50
	}
	b := &bed{t: t, gop: o.gop, away: o.away, net: newTestNet(t, o.oneWay), stop: make(chan struct{}), done: make(chan struct{})}
	// 2 Mbit/s: 500 kB a 2 s GOP, of it 40 kB the key frame; sub a tenth.
	b.sizes = [][2]int{{40_000, 9_388}, {4_000, 939}}
	renditions := 1
	if o.sub {
		renditions = 2
	}
	b.stream = newTestStream(renditions)
	if o.rate > 0 {
		b.limit(o.rate)
	}
	if o.loss > 0 {
		rng := rand.New(rand.NewPCG(1, 2))
		b.net.wan.AddChunkFilter(func(vnet.Chunk) bool { return rng.Float64() >= o.loss })
	}
	if err := b.net.wan.Start(); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.endpoint, err = Listen(EndpointOptions{Certificate: testCertificate(t), Net: b.net.publisher, Addr: "1.2.3.4:5000"}); err != nil {
		t.Fatal(err)
	}
	for range o.preroll {
		b.publish()
		time.Sleep(frameTime) //nolint:forbidigo // virtual time
	}
	b.viewer = newTestViewer(t, b.net.viewer)
	b.session = b.viewer.connect(t, b.endpoint, b.stream)
	go b.read()
	return b
}

// limit puts a token bucket with a queue of 300 ms in front of the viewer.
func (b *bed) limit(rate int) {
	b.t.Helper()
	b.link = b.net.queue
	b.link.SetRate(rate)
	b.link.SetSize(int64(rate / 8 * 3 / 10))
}

func (b *bed) publish() {
	for r := range b.stream.renditions {
		if b.away[r] {
			continue
		}
		key := b.frames%b.gop == 0
		size := b.sizes[r][1]
		if key {
			size = b.sizes[r][0]
		}
		b.stream.publish(r, key, size)
	}
	b.frames++
}

// play publishes for a while.
func (b *bed) play(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		b.publish()
		if b.trace && b.frames%10 == 0 {
			st := b.session.Stats()
			s := b.session.pathState(time.Now())
			b.t.Logf("%6.2fs congested %v target %d queue %.0f loss %.2f capacity %d rung %v dropped %d resent %d rtt %.0f", float64(b.frames)/25, st.Congested, st.TargetBitrate, st.QueueMs, s.loss, s.capacity, st.Rungs, st.Dropped, st.Retransmitted, st.RTTMs)
		}
		time.Sleep(frameTime) //nolint:forbidigo // virtual time
	}
}

func (b *bed) read() {
	defer close(b.done)
	var tr *webrtc.TrackRemote
	select {
	case tr = <-b.viewer.tracks:
	case <-b.stop:
		return
	}
	var a assembler
	for {
		p, _, err := tr.ReadRTP()
		if err != nil {
			b.got = a.out
			return
		}
		a.take(p)
	}
}

func (b *bed) close() {
	close(b.stop)
	_ = b.viewer.pc.GracefulClose()
	_ = b.session.Close()
	<-b.done
	if err := b.endpoint.Close(); err != nil {
		b.t.Error(err)
	}
	b.net.close()
}

// delay is the time from a frame's publication to its arrival.
func (b *bed) delay(a arrival) time.Duration {
	return a.at.Sub(b.stream.renditions[a.rendition].frames[a.number].Unit.Arrived)
}

// between returns the arrivals of frames published in a span of time.
func (b *bed) between(from, to time.Time) (out []arrival) {
	for _, a := range b.got {
		at := b.stream.renditions[a.rendition].frames[a.number].Unit.Arrived
		if !at.Before(from) && at.Before(to) {
			out = append(out, a)
		}
	}
	return out
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}

func (b *bed) delays(as []arrival) (out []time.Duration) {
	for _, a := range as {
		out = append(out, b.delay(a))
	}
	return out
}

func TestSender_ViewerInMidGOPSeesEveryFrameSinceTheKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 5 * time.Millisecond, preroll: 90})
		b.play(3 * time.Second)
		b.close()
		if len(b.got) == 0 {
			t.Fatal("no frame arrived")
		}
		if b.got[0].number != 50 {
			t.Fatalf("the first frame is %d, want the cached key frame 50", b.got[0].number)
		}
		slices.SortStableFunc(b.got, func(x, y arrival) int { return x.number - y.number })
		for i, a := range b.got {
			if a.number != 50+i {
				t.Fatalf("frame %d follows %d", a.number, 50+i-1)
			}
			if i > 0 && int32(a.ts-b.got[i-1].ts) < minStep {
				t.Fatalf("timestamp of frame %d does not rise", a.number)
			}
		}
		if n := b.got[len(b.got)-1].number; n < b.frames-2 {
			t.Fatalf("the last frame is %d of %d", n, b.frames)
		}
		last := b.got[len(b.got)-25:]
		if d := quantile(b.delays(last), 1); d > 20*time.Millisecond {
			t.Fatalf("still %v behind live", d)
		}
	})
}

func TestSender_LossIsMadeGoodByRetransmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 40 * time.Millisecond, loss: 0.05})
		b.play(60 * time.Second)
		time.Sleep(2 * time.Second) //nolint:forbidigo // virtual time
		stats := b.session.Stats()
		b.close()
		const tail = 25 // a loss at the very end shows to nobody
		want := b.frames - tail - b.got[0].number
		b.got = slices.DeleteFunc(b.got, func(a arrival) bool { return a.number >= b.frames-tail })
		t.Logf("%d of %d frames whole, %d retransmissions, delay p50 %v p99 %v", len(b.got), want, stats.Retransmitted, quantile(b.delays(b.got), .5), quantile(b.delays(b.got), .99))
		if len(b.got)*1000 < want*999 {
			t.Fatalf("%d of %d frames arrived whole, want 99.9 %%", len(b.got), want)
		}
	})
}

func TestSender_NarrowLinkKeepsTheDelayLowAndRecovers(t *testing.T) {
	for _, tt := range []struct {
		name string
		rate int
		sub  bool
	}{
		{"300 kbit/s with a sub stream", 300_000, true},
		{"1000 kbit/s", 1_000_000, false},
		{"1000 kbit/s with a sub stream", 1_000_000, true},
		{"1500 kbit/s", 1_500_000, false},
		{"1500 kbit/s with a sub stream", 1_500_000, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, bedOptions{oneWay: 20 * time.Millisecond, sub: tt.sub, rate: 20_000_000})
				b.trace = testing.Verbose()
				b.play(10 * time.Second)
				t0 := time.Now()
				b.limit(tt.rate)
				b.play(30 * time.Second)
				t1 := time.Now()
				b.limit(20_000_000)
				b.play(30 * time.Second)
				t2 := time.Now()
				b.close()
				narrow := b.between(t0, t1)
				settled := b.delays(b.between(t0.Add(3*time.Second), t1))
				t.Logf("narrow: %d frames; settled delay p50 %v p95 %v max %v; all max %v", len(narrow), quantile(settled, .5), quantile(settled, .95), quantile(settled, 1), quantile(b.delays(narrow), 1))
				if len(settled) < 10 {
					t.Fatalf("only %d frames in 27 s: the picture froze", len(settled))
				}
				if d := quantile(settled, 1); d > 500*time.Millisecond {
					t.Errorf("delay up to %v on the narrow link", d)
				}
				var full int
				var first time.Time
				for _, a := range b.between(t1, t2) {
					if a.rendition == 0 {
						full++
						if first.IsZero() && !b.isKey(a) {
							first = a.at
						}
					}
				}
				t.Logf("after: %d full frames, the first %v after the link's recovery", full, first.Sub(t1))
				tail := b.between(t2.Add(-5*time.Second), t2)
				if len(tail) < 115 || tail[0].rendition != 0 {
					t.Errorf("30 s after the link recovered only %d of 125 frames arrive, rendition %d", len(tail), tail[0].rendition)
				}
			})
		})
	}
}

func (b *bed) isKey(a arrival) bool {
	return b.stream.renditions[a.rendition].frames[a.number].Unit.Key
}

func TestSender_ViewerJoinsOverANarrowLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 20 * time.Millisecond, sub: true, rate: 300_000, preroll: 90})
		b.trace = testing.Verbose()
		t0 := time.Now()
		b.play(20 * time.Second)
		t1 := time.Now()
		b.close()
		all := b.between(t0, t1)
		d := b.delays(all)
		t.Logf("first picture after %v; %d frames; delay p50 %v p95 %v max %v", b.got[0].at.Sub(t0), len(all), quantile(d, .5), quantile(d, .95), quantile(d, 1))
		if first := b.got[0].at.Sub(t0); first > time.Second {
			t.Errorf("the first picture came after %v", first)
		}
		if len(all) < 330 { // the first seconds are key frames, until the queue of the start is gone
			t.Errorf("%d of 500 frames", len(all))
		}
		if m := quantile(d, 1); m > 500*time.Millisecond {
			t.Errorf("delay up to %v", m)
		}
	})
}
