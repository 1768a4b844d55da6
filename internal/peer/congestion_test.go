package peer

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// report makes the feedback for packets seq.. that arrived at the given times;
// a negative time is a loss.
func report(seq uint16, arrivals ...time.Duration) *rtcp.TransportLayerCC {
	fb := &rtcp.TransportLayerCC{BaseSequenceNumber: seq, PacketStatusCount: uint16(len(arrivals))}
	chunk := &rtcp.StatusVectorChunk{}
	last := time.Duration(-1)
	for _, a := range arrivals {
		if a < 0 {
			chunk.SymbolList = append(chunk.SymbolList, rtcp.TypeTCCPacketNotReceived)
			continue
		}
		if last < 0 {
			fb.ReferenceTime = uint32(a / (64 * time.Millisecond))
			last = time.Duration(fb.ReferenceTime) * 64 * time.Millisecond
		}
		chunk.SymbolList = append(chunk.SymbolList, rtcp.TypeTCCPacketReceivedLargeDelta)
		fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: rtcp.TypeTCCPacketReceivedLargeDelta, Delta: (a - last).Microseconds()})
		last = a
	}
	fb.PacketChunks = []rtcp.PacketStatusChunk{chunk}
	return fb
}

func TestCongestion_AStandingQueueCongestsAndAnEmptyOneClears(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCongestion(now)
	defer c.close()
	start := now
	send := func(queue time.Duration) pathState {
		t.Helper()
		now = now.Add(100 * time.Millisecond)
		seq := c.next(now, 1200, false)
		c.next(now.Add(20*time.Millisecond), 1200, false)
		at := now.Sub(start) + time.Hour + queue // the receiver's clock is another
		c.feedback(now.Add(50*time.Millisecond+queue), report(seq, at, at+20*time.Millisecond))
		return c.state(now)
	}
	for range 5 {
		if send(0).congested {
			t.Fatal("congested without a queue")
		}
	}
	send(30 * time.Millisecond)
	if send(200 * time.Millisecond).congested {
		t.Fatal("one report is enough: a single late packet would do")
	}
	if st := send(220 * time.Millisecond); !st.congested || st.queue < 200*time.Millisecond {
		t.Fatalf("%+v, want congested", st)
	}
	send(10 * time.Millisecond)
	if send(5 * time.Millisecond).congested {
		t.Fatal("still congested with an empty queue")
	}
}

func TestCongestion_SilenceCongests(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCongestion(now)
	defer c.close()
	seq := c.next(now, 1200, false)
	c.feedback(now, report(seq, time.Second))
	for range 20 {
		c.next(now, 1200, false)
	}
	if c.state(now.Add(500 * time.Millisecond)).congested {
		t.Fatal("congested too early")
	}
	if !c.state(now.Add(time.Second)).congested {
		t.Fatal("20 packets without a report for 1 s, and not congested")
	}
}

func TestCongestion_NothingIsCongestedWithinOneHost(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCongestion(now)
	defer c.close()
	c.near.Store(int32(sameHost))
	for i := range 20 {
		now = now.Add(100 * time.Millisecond)
		queue := time.Duration(0)
		if i > 5 {
			queue = time.Second
		}
		at := now.Sub(time.Unix(0, 0)) + queue
		c.feedback(now, report(c.next(now, 1200, false), at))
	}
	for range 20 {
		c.next(now, 1200, false)
	}
	if st := c.state(now.Add(5 * time.Second)); st.congested {
		t.Fatalf("%+v: a viewer's machine that is busy is no congestion", st)
	}
}

func TestCongestion_ATrainMeasuresTheNarrowestLink(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCongestion(now)
	defer c.close()
	for range 3 { // 1,250 bytes every 10 ms: 1 Mbit/s
		now = now.Add(time.Second)
		seq := c.next(now, 1250, false)
		var at []time.Duration
		for i := range 6 {
			if i > 0 {
				c.next(now, 1250, false)
			}
			at = append(at, now.Sub(time.Unix(0, 0))+time.Duration(i)*10*time.Millisecond)
		}
		// in two reports, as they come
		c.feedback(now, report(seq, at[:3]...))
		c.feedback(now, report(seq+3, at[3:]...))
	}
	if st := c.state(now); st.capacity < 950_000 || st.capacity > 1_050_000 {
		t.Fatalf("measured %d bit/s, want 1,000,000", st.capacity)
	}
}

// A camera that sends little: of 30 packets a second chance alone loses one of eight
// now and then, where a radio link loses one of twenty.
func TestCongestion_FewPacketsLostByChanceAreNoCongestion(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		now := time.Unix(1000, 0)
		c := newCongestion(now)
		for i := range 10 * 60 * 10 { // ten minutes
			now = now.Add(100 * time.Millisecond)
			lost := 0
			for range 3 {
				if rng.Float64() < 0.05 {
					lost++
				}
			}
			if c.judgeLocked(now, lost, 3-lost); c.congested {
				t.Fatalf("seed %d: congested after %d reports, loss %.2f", seed, i, c.loss)
			}
		}
	}
}

func TestCongestion_APolicerCongestsHoweverLittleIsSent(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCongestion(now)
	for i := 1; !c.congested; i++ {
		if i > 100 {
			t.Fatalf("one of three packets is lost, and after 10 s nothing is congested; loss %.2f", c.loss)
		}
		now = now.Add(100 * time.Millisecond)
		c.judgeLocked(now, 1, 2)
	}
}

func FuzzCongestion_Feedback(f *testing.F) {
	for _, r := range []*rtcp.TransportLayerCC{report(0, time.Second, -1, 2*time.Second), report(65535, time.Second, time.Second)} {
		raw, err := r.Marshal()
		if err == nil {
			f.Add(raw)
		}
	}
	f.Add([]byte{0x8f, 0xcd, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 3, 0, 0, 1, 0, 0x20, 3, 0x4, 0x4, 0x4, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		pkts, err := rtcp.Unmarshal(raw)
		if err != nil {
			return
		}
		now := time.Unix(1000, 0)
		c := newCongestion(now)
		defer c.close()
		for range 300 {
			c.next(now, 1200, false)
		}
		for _, p := range pkts {
			if fb, ok := p.(*rtcp.TransportLayerCC); ok {
				n := 0
				eachArrival(fb, func(uint16, time.Duration, bool) { n++ })
				if n > int(fb.PacketStatusCount) {
					t.Fatalf("%d packets in a report of %d", n, fb.PacketStatusCount)
				}
				c.feedback(now, fb)
			}
		}
		c.state(now)
	})
}
