package peer

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

const (
	transportCCURI  = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	playoutDelayURI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

	// delayFrames is how many frames carry the playout-delay extension; the
	// receiver remembers it.
	delayFrames = 30
	// maxResends is how often a packet is sent again: with doubling gaps for
	// 1.6 s in the viewer's own network, and for 8 s at a round trip of 70 ms.
	maxResends = 10
)

// rtpOut numbers, sends and resends the packets of one RTP stream.
//
// Invariant: no two packets leave with the same SSRC and sequence number
// unless they are equal to the last bit. Under AES-GCM anything else would
// reuse a nonce and give the authentication key away.
//
// Owned by the sender's goroutine, except the counters.
type rtpOut struct {
	// Constant after construction.
	ssrc, rtxSSRC  uint32 // rtxSSRC 0: not negotiated
	payloadTypes   map[codecs.Codec]uint8
	rtxTypes       map[uint8]uint8 // payload type -> its RTX payload type
	twccID         uint8           // 0: not negotiated
	delayID        uint8
	raw            interceptor.RTPWriter
	cong           *congestion // nil without transport-wide feedback
	batch          *batch      // nil for audio
	attributes     interceptor.Attributes
	bwe            *gcc.SendSideBWE      // measured belongs to it
	measured       interceptor.RTPWriter // raw behind the bandwidth estimator
	headerTWCC     rtp.Header
	headerDelay    rtp.Header // with playout delay too
	headerPlain    rtp.Header
	twccValue      [2]byte // backs the extension of both headers
	seq, rtxSeq    uint16
	history        history
	scratch        []byte
	framesWithDely int

	packets, octets, retransmitted, missing atomic.Uint64
}

// newRTPOut takes what was negotiated for a track.
func newRTPOut(ctx webrtc.TrackLocalContext, cong *congestion) *rtpOut {
	o := &rtpOut{
		ssrc:         uint32(ctx.SSRC()),
		rtxSSRC:      uint32(ctx.SSRCRetransmission()),
		payloadTypes: payloadTypes(ctx.CodecParameters()),
		rtxTypes:     rtxTypes(ctx.CodecParameters()),
		raw: interceptor.RTPWriterFunc(func(h *rtp.Header, p []byte, _ interceptor.Attributes) (int, error) {
			return ctx.WriteStream().WriteRTP(h, p)
		}),
		attributes: interceptor.Attributes{},
		seq:        randomSeq(),
		rtxSeq:     randomSeq(),
	}
	if len(o.rtxTypes) == 0 {
		o.rtxSSRC = 0
	}
	for _, e := range ctx.HeaderExtensions() {
		switch e.URI {
		case transportCCURI:
			o.twccID = uint8(e.ID)
		case playoutDelayURI:
			o.delayID = uint8(e.ID)
		}
	}
	if o.twccID != 0 {
		o.cong = cong
	}
	o.headerPlain = rtp.Header{Version: 2}
	o.headerTWCC = rtp.Header{Version: 2}
	o.headerDelay = rtp.Header{Version: 2}
	if o.cong != nil {
		_ = o.headerTWCC.SetExtension(o.twccID, o.twccValue[:])
		_ = o.headerDelay.SetExtension(o.twccID, o.twccValue[:])
	}
	if o.delayID != 0 {
		_ = o.headerDelay.SetExtension(o.delayID, []byte{0, 0, 0}) // min = max = 0 ms
	}
	return o
}

// writer returns where packets go: through the bandwidth estimator while there
// is one.
func (o *rtpOut) writer() interceptor.RTPWriter {
	if o.cong == nil {
		return o.raw
	}
	bwe := o.cong.bwe.Load()
	if bwe == nil {
		return o.raw
	}
	if bwe != o.bwe {
		o.bwe = bwe
		for _, ssrc := range []uint32{o.ssrc, o.rtxSSRC} {
			o.measured = bwe.AddStream(&interceptor.StreamInfo{
				SSRC:                ssrc,
				RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{URI: transportCCURI, ID: int(o.twccID)}},
			}, o.raw)
		}
	}
	return o.measured
}

// supports reports whether the viewer accepted the codec.
func (o *rtpOut) supports(c codecs.Codec) bool {
	_, ok := o.payloadTypes[c]
	return ok
}

// send sends payload index of a frame of a codec that is supported.
func (o *rtpOut) send(now time.Time, f *rtppack.Frame, index int, ts uint32, marker bool) error {
	payloads := f.Payloads()
	s := sentRTP{
		frame: f, ts: ts, seq: o.seq, index: uint16(index), // frames have far fewer packets
		pt: o.payloadTypes[f.Codec], marker: marker,
		hasTWCC:  o.cong != nil,
		hasDelay: o.delayID != 0 && o.framesWithDely < delayFrames,
	}
	if marker && s.hasDelay {
		o.framesWithDely++
	}
	if s.hasTWCC {
		s.twcc = o.cong.next(now, len(payloads[index])+rtpOverhead, false)
	}
	o.seq++
	o.history.put(s)
	return o.write(o.writer(), &s)
}

// rtpOverhead is the size of an RTP header with extensions, and of the tag.
const rtpOverhead = 40

func (o *rtpOut) write(w interceptor.RTPWriter, s *sentRTP) error {
	h := &o.headerPlain
	switch {
	case s.hasDelay:
		h = &o.headerDelay
	case s.hasTWCC:
		h = &o.headerTWCC
	}
	binary.BigEndian.PutUint16(o.twccValue[:], s.twcc)
	h.PayloadType, h.SequenceNumber, h.Timestamp, h.SSRC, h.Marker = s.pt, s.seq, s.ts, o.ssrc, s.marker
	p := s.frame.Payloads()[s.index]
	_, err := w.Write(h, p, o.attributes)
	o.packets.Add(1)
	o.octets.Add(uint64(len(p)))
	return err
}

// resend sends a packet of the history again: on the RTX stream (RFC 4588) where
// that was negotiated, else byte for byte as before. A packet sent again less
// than minGap ago is not repeated, and the gap doubles each time: some receivers go
// on asking for what has long arrived on the RTX stream. After maxResends there
// are no more: a viewer must not draw many times the camera's rate out of an
// agent. It returns the bytes sent.
func (o *rtpOut) resend(now time.Time, s *sentRTP, minGap time.Duration) int {
	if s.resends >= maxResends || s.resends > 0 && now.UnixNano()-s.resent < int64(minGap)<<min(s.resends-1, 5) {
		return 0
	}
	s.resent = now.UnixNano()
	s.resends++
	o.retransmitted.Add(1)
	payload := s.frame.Payloads()[s.index]
	rtx, ok := o.rtxTypes[s.pt]
	if o.rtxSSRC == 0 || !ok {
		_ = o.write(o.raw, s)
		return len(payload) + rtpOverhead
	}
	h := &o.headerPlain
	if o.cong != nil {
		h = &o.headerTWCC
		binary.BigEndian.PutUint16(o.twccValue[:], o.cong.next(now, len(payload)+2+rtpOverhead, true))
	}
	h.PayloadType, h.SequenceNumber, h.Timestamp, h.SSRC, h.Marker = rtx, o.rtxSeq, s.ts, o.rtxSSRC, s.marker
	o.rtxSeq++
	o.scratch = binary.BigEndian.AppendUint16(o.scratch[:0], s.seq)
	o.scratch = append(o.scratch, payload...)
	_, _ = o.writer().Write(h, o.scratch, o.attributes)
	return len(o.scratch) + rtpOverhead
}

// flush sends what the batch holds.
func (o *rtpOut) flush() {
	if o.batch != nil {
		o.batch.flush()
	}
}
