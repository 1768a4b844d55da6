package rtsp

import (
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// sink receives what a stream's packets turn into.
type sink interface {
	setTrack(index int, t codecs.Track)
	writeUnit(u *codecs.Unit)
	warn(kind, text string)
	// trouble counts something that was dropped; what is a constant text.
	trouble(what string, err error)
	// askKeyFrame wants a key frame, because pictures were lost.
	askKeyFrame()
}

// The kinds of warnings.
const (
	warnBFrames = "b-frames"
	warnFormat  = "video-format"
	warnNoKey   = "no-key-frames"
	warnAudio   = "audio"
)

const bFramesText = "the camera sends B-frames, which browsers play at a few pictures a second; " +
	"in the camera's video settings set the number of B-frames (GOP structure) to 0 or IPPP, or the profile to Baseline"

// video turns the RTP packets of a video stream into units. Not safe for
// concurrent use.
type video struct {
	index     int // constant
	codec     codecs.Codec
	sink      sink
	decode    func(*rtp.Packet) ([][]byte, error)
	assembler *nal.Assembler
	clock     rtpClock
	sender    senderClock

	bframes    nal.BFrameDetector
	warned     bool // of B-frames
	grouper    grouper
	started    bool
	next       uint16 // expected sequence number
	lastPTS    int64
	anyUnit    bool
	anyKey     bool
	recoveries int
}

func newVideo(index int, t codecs.Track, decode func(*rtp.Packet) ([][]byte, error), begin time.Time, s sink) *video {
	v := &video{
		index: index, codec: t.Codec, sink: s, decode: decode,
		clock:  rtpClock{rate: t.ClockRate, begin: begin},
		sender: senderClock{rate: t.ClockRate},
	}
	if t.Codec == codecs.H265 {
		v.assembler = h265.NewAssembler(t)
	} else {
		v.assembler = h264.NewAssembler(t)
	}
	return v
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
	v.sink.trouble("unreadable packets", err)
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
	au := v.assembler.Assemble(p.units)
	if p.suspect && au.Continues {
		v.incomplete()
		return
	}
	if p.suspect {
		v.sink.askKeyFrame() // others before it are missing
	}
	if len(au.Payload) == 0 {
		return
	}
	found := v.bframes.Observe(au, pts)
	if found != v.warned {
		v.warned = found
		text := ""
		if found {
			text = bFramesText
		}
		v.sink.warn(warnBFrames, text)
	}
	if au.Undecodable {
		v.sink.trouble("pictures without their parameter sets", nil)
		return
	}
	v.keyFrames(au)
	if au.Changed {
		t := v.assembler.Track()
		v.sink.setTrack(v.index, t)
		v.sink.warn(warnFormat, formatWarning(t))
	}
	if v.anyUnit && pts <= v.lastPTS && !found && !au.Reordered {
		pts = v.lastPTS + 1
	}
	v.lastPTS = max(v.lastPTS, pts)
	v.anyUnit = true
	v.sink.writeUnit(&codecs.Unit{
		Track: v.index, PTS: pts, Wall: v.sender.at(ssrc, p.ts), Arrived: p.arrived,
		Key: au.Key, Discardable: au.Discardable, Payload: au.Payload,
	})
}

// incomplete drops a picture of which packets were lost: shown with a hole, it
// would be a key frame that is none, or evidence that is none.
func (v *video) incomplete() {
	if v.anyUnit { // else the stream was joined in the middle of a picture
		v.sink.trouble("incomplete pictures", nil)
	}
	v.sink.askKeyFrame()
}

// keyFrames warns of cameras that refresh pictures bit by bit.
func (v *video) keyFrames(au nal.AccessUnit) {
	const enough = 3
	switch {
	case au.Key:
		if !v.anyKey && v.recoveries >= enough {
			v.sink.warn(warnNoKey, "")
		}
		v.anyKey = true
	case au.RecoveryPoint && !v.anyKey:
		if v.recoveries++; v.recoveries == enough {
			v.sink.warn(warnNoKey, "the camera refreshes its picture bit by bit and sends no key frames; "+
				"turn off intra refresh and set the key frame interval (GOP length) to 1 or 2 seconds")
		}
	}
}

// formatWarning returns what is to be said about a picture format that most
// browsers do not play; empty for all others.
func formatWarning(t codecs.Track) string {
	if t.Codec != codecs.H264 {
		return ""
	}
	info, err := h264.ParseSPS(t.SPS)
	switch {
	case err != nil:
		return ""
	case info.Interlaced:
		return "the camera sends interlaced video, which browsers may not show; set it to progressive"
	case info.BitDepth > 8 || info.ChromaFormat > 1:
		return "the camera sends more than 8 bits or full colour resolution, which browsers do not show; set the profile to High or Main"
	}
	return ""
}
