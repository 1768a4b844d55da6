package peer

import (
	"context"
	"errors"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/codecs"
)

var errNoCodec = errors.New("the viewer accepts none of the codecs that cameras send")

// senderTrack is what pion sees of a media section: when the section has been
// negotiated it starts the sender, and when it is taken out it stops it.
type senderTrack struct {
	// Constant after construction.
	session *Session
	kind    webrtc.RTPCodecType
	id      string
	camera  string

	// Guarded by session.mu.
	stream Stream
	video  *videoSender
	audio  *audioSender
	cancel context.CancelFunc
	opened chan struct{} // closed by openLocked; nil if nothing waits for it
}

func (t *senderTrack) ID() string                { return t.id }
func (t *senderTrack) RID() string               { return "" }
func (t *senderTrack) StreamID() string          { return t.camera }
func (t *senderTrack) Kind() webrtc.RTPCodecType { return t.kind }

// Bind implements webrtc.TrackLocal: it starts what sends once openLocked is called.
func (t *senderTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	s := t.session
	first, err := preferred(ctx.CodecParameters(), t.stream)
	if err != nil {
		return first, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return first, nil
	}
	run, cancel := context.WithCancel(s.ctx)
	opened := make(chan struct{})
	t.cancel, t.opened = cancel, opened
	start := func(send func(context.Context)) {
		select {
		case <-opened:
			send(run)
		case <-run.Done():
		}
	}
	if t.kind == webrtc.RTPCodecTypeAudio {
		t.audio = newAudioSender(s, newRTPOut(ctx, nil), t.stream)
		s.wg.Go(func() { start(t.audio.run) })
	} else {
		out := newRTPOut(ctx, s.cong)
		out.batch = s.endpoint.port.conn.newBatch(out.ssrc, out.rtxSSRC)
		t.video = newVideoSender(s, out, t.stream)
		s.wg.Go(func() {
			defer out.batch.close()
			start(t.video.run)
		})
	}
	rtcpReader := ctx.RTCPReader()
	s.wg.Go(func() { t.readRTCP(run, rtcpReader) })
	return first, nil
}

// openLocked lets sending begin. pion loses what is sent before it has done all that it
// does after Bind: of a camera that a later offer adds, that would be the key frame.
func (t *senderTrack) openLocked() {
	if t.opened != nil {
		close(t.opened)
		t.opened = nil
	}
}

// Unbind implements webrtc.TrackLocal: it stops sending.
func (t *senderTrack) Unbind(webrtc.TrackLocalContext) error {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	if t.cancel != nil {
		t.cancel()
	}
	return nil
}

// setStream changes what is sent; nil pauses.
func (t *senderTrack) setStreamLocked(st Stream) {
	t.stream = st
	var ch chan Stream
	switch {
	case t.video != nil:
		ch = t.video.streams
	case t.audio != nil:
		ch = t.audio.streams
	default:
		return // not negotiated yet: Bind takes t.stream
	}
	select { // the newest counts
	case <-ch:
	default:
	}
	ch <- st
}

// preferred returns the codec to announce: that of the stream if the viewer
// accepts it, else the first it accepts.
func preferred(negotiated []webrtc.RTPCodecParameters, st Stream) (webrtc.RTPCodecParameters, error) {
	types := payloadTypes(negotiated)
	want := codecs.H264
	if st != nil {
		if track, ok := st.Track(0); ok {
			want = track.Codec
		}
	}
	pt, ok := types[want]
	for _, p := range negotiated {
		if (ok && uint8(p.PayloadType) == pt) || (!ok && codecOf(p.MimeType) != codecs.Unknown) {
			return p, nil
		}
	}
	return webrtc.RTPCodecParameters{}, errNoCodec
}

// readRTCP handles the viewer's reports until the track's stream is closed.
func (t *senderTrack) readRTCP(ctx context.Context, r interceptor.RTCPReader) {
	buf := make([]byte, receiveMTU)
	for ctx.Err() == nil {
		n, _, err := r.Read(buf, nil)
		if err != nil {
			return
		}
		pkts, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			t.session.badRTCP.Add(1)
			continue
		}
		t.handleRTCP(time.Now(), pkts)
	}
}

func (t *senderTrack) handleRTCP(now time.Time, pkts []rtcp.Packet) {
	s := t.session
	for _, p := range pkts {
		switch p := p.(type) {
		case *rtcp.TransportLayerCC:
			if s.cong != nil {
				s.cong.feedback(now, p)
			}
		case *rtcp.ReceiverReport:
			for _, r := range p.Reports {
				s.receiverReport(now, r)
			}
		case *rtcp.TransportLayerNack:
			if t.video != nil {
				t.video.nack(p)
			}
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			if t.video != nil {
				select {
				case t.video.pli <- struct{}{}:
				default: // one is waiting already
				}
			}
		}
	}
}

// nack queues the packets asked for.
func (v *videoSender) nack(p *rtcp.TransportLayerNack) {
	var seqs []uint16
	for i := range p.Nacks {
		seqs = append(seqs, p.Nacks[i].PacketList()...)
		if len(seqs) >= historySize { // the rest cannot be there
			seqs = seqs[:historySize]
			break
		}
	}
	select {
	case v.nacks <- seqs:
	default:
		v.nackOverflow.Add(1)
	}
}
