package remote

import (
	"bytes"
	"sync"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/viewer"
)

// output makes the units of a session those of a source.
type output struct {
	mu     sync.Mutex // held while something is written
	to     camera.Output
	closed bool
	video  codecs.Track
	audio  codecs.Codec
	begun  bool
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// frame writes a unit, and announces the tracks before the first, and when a codec
// or parameter set has changed. It begins with a key frame.
func (o *output) frame(f viewer.Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	track, begins := 0, f.Codec.Video() && f.Unit.Key
	switch {
	case o.closed, !o.begun && !begins:
		return
	case f.Codec.Video():
		if o.look(f) {
			o.announce()
		}
	default:
		if track = 1; o.audio != f.Codec {
			if soundTrack(f.Codec) == nil {
				return
			}
			o.audio = f.Codec
			o.announce()
		}
	}
	o.begun = true
	u := *f.Unit
	u.Track = track
	o.to.WriteUnit(&u)
}

// look reports whether a picture is coded in another way than those before. Its
// parameter sets stand in the stream; who watches wants to know the size before.
func (o *output) look(f viewer.Frame) bool {
	t := codecs.Track{Codec: f.Codec, ClockRate: 90_000}
	if f.Unit.Key {
		for _, unit := range f.Unit.Payload {
			if set := parameterSet(&t, unit); set != nil && *set == nil {
				*set = bytes.Clone(unit) // what it stands in may be large
			}
		}
	}
	if o.video.Codec == t.Codec {
		for _, set := range []struct{ is, was *[]byte }{{&t.VPS, &o.video.VPS}, {&t.SPS, &o.video.SPS}, {&t.PPS, &o.video.PPS}} {
			if *set.is == nil {
				*set.is = *set.was
			}
		}
		if bytes.Equal(t.VPS, o.video.VPS) && bytes.Equal(t.SPS, o.video.SPS) && bytes.Equal(t.PPS, o.video.PPS) {
			return false
		}
	}
	o.video = t
	return true
}

// parameterSet returns where in a track a NAL unit belongs; nil if it is no parameter
// set.
func parameterSet(t *codecs.Track, unit []byte) *[]byte {
	switch t.Codec {
	case codecs.H264:
		switch h264.TypeOf(unit) {
		case h264.SPS:
			return &t.SPS
		case h264.PPS:
			return &t.PPS
		default:
		}
	case codecs.H265:
		switch h265.TypeOf(unit) {
		case h265.VPS:
			return &t.VPS
		case h265.SPS:
			return &t.SPS
		case h265.PPS:
			return &t.PPS
		default:
		}
	default:
	}
	return nil
}

func (o *output) announce() {
	tracks := []codecs.Track{o.video}
	if t := soundTrack(o.audio); t != nil {
		tracks = append(tracks, *t)
	}
	o.to.SetTracks(tracks)
}
