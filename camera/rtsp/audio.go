package rtsp

import (
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
)

// audio turns the RTP packets of an audio stream into units. Not safe for
// concurrent use.
type audio struct {
	index  int // constant
	sink   sink
	decode func(*rtp.Packet) ([][]byte, error)
	// perFrame is the duration of a frame in ticks, where a packet can have
	// several; 0 otherwise.
	perFrame int64
	clock    rtpClock
	sender   senderClock

	anyUnit bool
	lastPTS int64
}

func newAudio(index int, t codecs.Track, decode func(*rtp.Packet) ([][]byte, error), perFrame int64, begin time.Time, s sink) *audio {
	return &audio{
		index: index, sink: s, decode: decode, perFrame: perFrame,
		clock:  rtpClock{rate: t.ClockRate, begin: begin},
		sender: senderClock{rate: t.ClockRate},
	}
}

func (a *audio) report(r *rtcp.SenderReport) { a.sender.report(r) }

// packet takes the next packet.
func (a *audio) packet(p *rtp.Packet, now time.Time) {
	frames, err := a.decode(p)
	if err != nil {
		if !errors.Is(err, rtpmpeg4audio.ErrMorePacketsNeeded) && !errors.Is(err, rtpfragmented.ErrMorePacketsNeeded) {
			a.sink.Trouble("unreadable audio packets", err)
		}
		return
	}
	pts := a.clock.at(p.Timestamp, now)
	for i, f := range frames {
		if len(f) == 0 {
			continue
		}
		at := pts + int64(i)*a.perFrame
		if a.anyUnit && at <= a.lastPTS {
			at = a.lastPTS + 1
		}
		a.anyUnit, a.lastPTS = true, at
		ts := p.Timestamp + uint32(int64(i)*a.perFrame)
		a.sink.WriteUnit(&codecs.Unit{
			Track: a.index, PTS: at, Wall: a.sender.at(p.SSRC, ts), Arrived: now,
			Key: true, Payload: [][]byte{f},
		})
	}
}

// wholePacket is the decoder of codecs whose packets are frames.
func wholePacket(p *rtp.Packet) ([][]byte, error) { return [][]byte{p.Payload}, nil }
