// Package pictures turns the NAL units of pictures, however a source came by them,
// into the units of a video track, and tells of a camera's settings that spoil them.
package pictures

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// Sink receives what a stream turns into.
type Sink interface {
	// SetTrack announces a track's new format; before the first unit of it.
	SetTrack(index int, t codecs.Track)
	WriteUnit(u *codecs.Unit)
	// Warn is as in camera.Output.
	Warn(kind, text string)
	// Trouble counts something that was dropped; what is a constant text.
	Trouble(what string, err error)
}

// The kinds of warnings.
const (
	warnBFrames = "b-frames"
	warnFormat  = "video-format"
	warnNoKey   = "no-key-frames"
)

const bFramesText = "the camera sends B-frames, which browsers play at a few pictures a second; " +
	"in the camera's video settings set the number of B-frames (GOP structure) to 0 or IPPP, or the profile to Baseline"

// Video is a video track in the making. Not safe for concurrent use.
type Video struct {
	index     int // constant
	sink      Sink
	assembler *nal.Assembler

	bframes    nal.BFrameDetector
	warned     bool // of B-frames
	lastPTS    int64
	anyUnit    bool
	anyKey     bool
	recoveries int
}

// New returns the track index of a connection. t is H.264 or H.265, and its
// parameter sets are used until others come.
func New(index int, t codecs.Track, s Sink) *Video {
	v := &Video{index: index, sink: s}
	if t.Codec == codecs.H265 {
		v.assembler = h265.NewAssembler(t)
	} else {
		v.assembler = h264.NewAssembler(t)
	}
	return v
}

// Begun reports whether a unit has been handed on.
func (v *Video) Begun() bool { return v.anyUnit }

// Assemble makes an access unit of the NAL units of one picture; see
// nal.Assembler.
func (v *Video) Assemble(units [][]byte) nal.AccessUnit { return v.assembler.Assemble(units) }

// Write hands on a picture, unless it is none or cannot be decoded. pts is in ticks
// of 90 kHz and moved on where it does not rise, except for B-frames. wall and
// arrived are as in codecs.Unit.
func (v *Video) Write(au nal.AccessUnit, pts int64, wall, arrived time.Time) {
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
		v.sink.Warn(warnBFrames, text)
	}
	if au.Undecodable {
		v.sink.Trouble("pictures without their parameter sets", nil)
		return
	}
	v.keyFrames(au)
	if au.Changed {
		t := v.assembler.Track()
		v.sink.SetTrack(v.index, t)
		v.sink.Warn(warnFormat, formatWarning(t))
	}
	if v.anyUnit && pts <= v.lastPTS && !found && !au.Reordered {
		pts = v.lastPTS + 1
	}
	v.lastPTS = max(v.lastPTS, pts)
	v.anyUnit = true
	v.sink.WriteUnit(&codecs.Unit{
		Track: v.index, PTS: pts, Wall: wall, Arrived: arrived,
		Key: au.Key, Discardable: au.Discardable, Payload: au.Payload,
	})
}

// keyFrames warns of cameras that refresh pictures bit by bit.
func (v *Video) keyFrames(au nal.AccessUnit) {
	const enough = 3
	switch {
	case au.Key:
		if !v.anyKey && v.recoveries >= enough {
			v.sink.Warn(warnNoKey, "")
		}
		v.anyKey = true
	case au.RecoveryPoint && !v.anyKey:
		if v.recoveries++; v.recoveries == enough {
			v.sink.Warn(warnNoKey, "the camera refreshes its picture bit by bit and sends no key frames; "+
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
