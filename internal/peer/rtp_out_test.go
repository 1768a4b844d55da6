package peer

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

// fakeTrackContext is what pion hands to Bind.
type fakeTrackContext struct {
	webrtc.TrackLocalContext

	rtx, twcc bool
	written   func(*rtp.Header, []byte)
}

func (c *fakeTrackContext) CodecParameters() []webrtc.RTPCodecParameters {
	ps := []webrtc.RTPCodecParameters{{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, SDPFmtpLine: "packetization-mode=1;profile-level-id=42e01f"}, PayloadType: 102,
	}}
	if c.rtx {
		ps = append(ps, webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, SDPFmtpLine: "apt=102"}, PayloadType: 103})
	}
	return ps
}

func (c *fakeTrackContext) HeaderExtensions() []webrtc.RTPHeaderExtensionParameter {
	out := []webrtc.RTPHeaderExtensionParameter{{URI: playoutDelayURI, ID: 5}}
	if c.twcc {
		out = append(out, webrtc.RTPHeaderExtensionParameter{URI: transportCCURI, ID: 3})
	}
	return out
}
func (c *fakeTrackContext) SSRC() webrtc.SSRC                    { return 1000 }
func (c *fakeTrackContext) SSRCRetransmission() webrtc.SSRC      { return 2000 }
func (c *fakeTrackContext) WriteStream() webrtc.TrackLocalWriter { return c }
func (c *fakeTrackContext) RTCPReader() interceptor.RTCPReader   { return nil }
func (c *fakeTrackContext) Write([]byte) (int, error)            { return 0, nil }
func (c *fakeTrackContext) WriteRTP(h *rtp.Header, p []byte) (int, error) {
	c.written(h, p)
	return len(p), nil
}

// TestRTPOut_NoNonceIsUsedTwice sends and resends at random and checks the
// invariant that keeps AES-GCM safe: packets with the same SSRC and sequence
// number are equal to the last bit.
func TestRTPOut_NoNonceIsUsedTwice(t *testing.T) {
	for _, tt := range []struct{ rtx, twcc bool }{{true, true}, {false, true}, {true, false}, {false, false}} {
		type nonce struct {
			ssrc uint32
			seq  uint16
		}
		seen := map[nonce][]byte{}
		repeats := 0
		ctx := &fakeTrackContext{rtx: tt.rtx, twcc: tt.twcc}
		ctx.written = func(h *rtp.Header, p []byte) {
			raw, err := (&rtp.Packet{Header: *h, Payload: p}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			k := nonce{h.SSRC, h.SequenceNumber}
			if old, ok := seen[k]; ok {
				repeats++
				if !bytes.Equal(old, raw) {
					t.Fatalf("rtx %v twcc %v: SSRC %d, sequence number %d with other bytes", tt.rtx, tt.twcc, k.ssrc, k.seq)
				}
			}
			seen[k] = raw
		}
		now := time.Unix(1000, 0)
		var cong *congestion
		if tt.twcc {
			cong = newCongestion(now)
			defer cong.close()
		}
		out := newRTPOut(ctx, cong)
		rng := rand.New(rand.NewPCG(3, 4))
		for range 400 { // below 2^16 packets: then numbers repeat under another rollover counter
			nal := make([]byte, 20+rng.IntN(20_000))
			nal[0] = 0x65
			for i := range nal[1:] {
				nal[i+1] = byte(rng.Uint32())
			}
			f := rtppack.NewFrame(codecs.H264, &codecs.Unit{Key: true, Payload: [][]byte{nal}})
			for i := range f.Payloads() {
				if err := out.send(now, f, i, rng.Uint32(), i == len(f.Payloads())-1); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Duration(rng.IntN(5)) * time.Millisecond)
			}
			for range rng.IntN(6) {
				if s := out.history.get(out.seq - 1 - uint16(rng.IntN(3000))); s != nil {
					out.resend(now, s, time.Millisecond)
				}
			}
		}
		if !tt.rtx && repeats == 0 {
			t.Fatal("nothing was sent again")
		}
		if out.retransmitted.Load() == 0 {
			t.Fatal("no retransmission")
		}
	}
}

func TestRTPOut_RetransmissionIsTheOriginalBehindItsNumber(t *testing.T) {
	var sent []rtp.Packet
	ctx := &fakeTrackContext{rtx: true}
	ctx.written = func(h *rtp.Header, p []byte) {
		sent = append(sent, rtp.Packet{Header: h.Clone(), Payload: bytes.Clone(p)})
	}
	out := newRTPOut(ctx, nil)
	f := rtppack.NewFrame(codecs.H264, &codecs.Unit{Payload: [][]byte{{0x61, 1, 2, 3}}})
	now := time.Unix(1000, 0)
	if err := out.send(now, f, 0, 77, true); err != nil {
		t.Fatal(err)
	}
	s := out.history.get(sent[0].SequenceNumber)
	if n := out.resend(now, s, time.Second); n == 0 {
		t.Fatal("nothing sent")
	}
	if n := out.resend(now.Add(time.Millisecond), s, time.Second); n != 0 {
		t.Fatal("sent again at once")
	}
	r := sent[1]
	if r.SSRC != 2000 || r.PayloadType != 103 || r.Timestamp != 77 || !r.Marker {
		t.Fatalf("RTX header %+v", r.Header)
	}
	if osn := uint16(r.Payload[0])<<8 | uint16(r.Payload[1]); osn != sent[0].SequenceNumber || !bytes.Equal(r.Payload[2:], sent[0].Payload) {
		t.Fatalf("RTX payload % x", r.Payload)
	}
}

func BenchmarkRTPOut_Send(b *testing.B) {
	ctx := &fakeTrackContext{rtx: true, twcc: true, written: func(*rtp.Header, []byte) {}}
	cong := newCongestion(time.Now())
	defer cong.close()
	out := newRTPOut(ctx, cong)
	f := rtppack.NewFrame(codecs.H264, &codecs.Unit{Payload: [][]byte{stampNAL(1, 0, false, 1000)}})
	b.ReportAllocs()
	for range b.N {
		_ = out.send(time.Now(), f, 0, 1, true)
	}
}

func TestRTPOut_AFloodOfRequestsForOnePacketEnds(t *testing.T) {
	sent := 0
	ctx := &fakeTrackContext{rtx: true}
	ctx.written = func(*rtp.Header, []byte) { sent++ }
	out := newRTPOut(ctx, nil)
	f := rtppack.NewFrame(codecs.H264, &codecs.Unit{Payload: [][]byte{{0x61, 1, 2, 3}}})
	now := time.Unix(1000, 0)
	if err := out.send(now, f, 0, 77, true); err != nil {
		t.Fatal(err)
	}
	s := out.history.get(out.seq - 1)
	for range 10_000 {
		now = now.Add(10 * time.Millisecond)
		out.resend(now, s, 10*time.Millisecond)
	}
	if sent > 1+maxResends {
		t.Fatalf("one packet was sent %d times", sent)
	}
}

func TestVideoSender_ANackNamesNoMoreThanTheHistoryHolds(t *testing.T) {
	v := &videoSender{nacks: make(chan []uint16, 1)}
	p := &rtcp.TransportLayerNack{}
	for i := range 370 { // as many as a packet has room for
		p.Nacks = append(p.Nacks, rtcp.NackPair{PacketID: uint16(i * 17), LostPackets: 0xffff})
	}
	v.nack(p)
	if n := len(<-v.nacks); n > historySize {
		t.Fatalf("%d packets wait to be sent again", n)
	}
}
