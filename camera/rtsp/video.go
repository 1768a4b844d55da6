package rtsp

import (
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/camera/pictures"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
)

// sink receives what a stream's packets turn into.
type sink interface {
	pictures.Sink
	// askKeyFrame wants a key frame, because pictures were lost.
	askKeyFrame()
}

// warnAudio is the kind of warning about sound that cannot be carried.
const warnAudio = "audio"

// video turns the RTP packets of a video stream into units. Not safe for
// concurrent use.
type video struct {
	codec  codecs.Codec
	sink   sink
	decode func(*rtp.Packet) ([][]byte, error)
	out    *pictures.Video
	clock  rtpClock
	sender senderClock

	grouper grouper
	started bool
	next    uint16 // expected sequence number
}

func newVideo(index int, t codecs.Track, decode func(*rtp.Packet) ([][]byte, error), begin time.Time, s sink) *video {
	return &video{
		codec: t.Codec, sink: s, decode: decode, out: pictures.New(index, t, s),
		clock:  rtpClock{rate: t.ClockRate, begin: begin},
		sender: senderClock{rate: t.ClockRate},
	}
}

func (v *video) report(r *rtcp.SenderReport) { v.sender.report(r) }

// packet takes the next packet.
func (v *video) packet(p *rtp.Packet, now time.Time) {
	lost := v.started && p.SequenceNumber != v.next
	if lost {
		v.grouper.lose()
	}
	if done, ok := v.grouper.begin(p.Timestamp, now); ok {
		v.picture(done, p.SSRC)
	}
	if lost {
		v.grouper.suspect()
	}
	v.started, v.next = true, p.SequenceNumber+1

	// The decoder joins fragments; with the marker set it hands on every
	// NAL unit at once and leaves it to the grouper what makes a picture.
	single := *p
	single.Marker = true
	units, err := v.decode(&single)
	if err != nil {
		v.failed(err)
		return
	}
	if done, ok := v.grouper.add(units, v.slices(units), p.Marker); ok {
		v.picture(done, p.SSRC)
	}
}

func (v *video) failed(err error) {
	if errors.Is(err, rtph264.ErrMorePacketsNeeded) || errors.Is(err, rtph265.ErrMorePacketsNeeded) {
		return
	}
	v.grouper.damage()
	if errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious) || errors.Is(err, rtph265.ErrNonStartingPacketAndNoPrevious) {
		return // joined in the middle of a picture
	}
	v.sink.Trouble("unreadable packets", err)
}

// slices reports whether there are parts of a picture among the units.
func (v *video) slices(units [][]byte) bool {
	for _, u := range units {
		if len(u) == 0 {
			continue
		}
		if v.codec == codecs.H265 {
			if len(u) > 1 && h265.TypeOf(u).VCL() {
				return true
			}
		} else if t := h264.TypeOf(u); t >= h264.Slice && t <= h264.IDR {
			return true
		}
	}
	return false
}

// picture hands on a picture that is whole.
func (v *video) picture(p picture, ssrc uint32) {
	pts := v.clock.at(p.ts, p.arrived)
	if p.damaged {
		v.incomplete()
		return
	}
	au := v.out.Assemble(p.units)
	if p.suspect && au.Continues {
		v.incomplete()
		return
	}
	if p.suspect {
		v.sink.askKeyFrame() // others before it are missing
	}
	v.out.Write(au, pts, v.sender.at(ssrc, p.ts), p.arrived)
}

// incomplete drops a picture of which packets were lost: shown with a hole, it
// would be a key frame that is none, or evidence that is none.
func (v *video) incomplete() {
	if v.out.Begun() { // else the stream was joined in the middle of a picture
		v.sink.Trouble("incomplete pictures", nil)
	}
	v.sink.askKeyFrame()
}
