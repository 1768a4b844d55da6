package fmp4

import (
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"github.com/sightline-cam/sightline/codecs"
)

// frameTicks tells how long audio frames are, in ticks of their track's clock.
type frameTicks struct {
	codec    codecs.Codec
	channels int
	fixed    int64 // of AAC
}

func newFrameTicks(t codecs.Track) frameTicks {
	f := frameTicks{codec: t.Codec, channels: t.Channels}
	var c mpeg4audio.AudioSpecificConfig
	if t.Codec == codecs.AAC && c.Unmarshal(t.AudioConfig) == nil && c.SampleRate > 0 {
		samples := int64(mpeg4audio.SamplesPerAccessUnit)
		if c.FrameLengthFlag {
			samples = 960
		}
		// With spectral band replication the configuration's rate is half of what the
		// clock may count.
		f.fixed = samples * int64(t.ClockRate) / int64(c.SampleRate)
	}
	return f
}

// of returns the length of a frame, at least 1.
func (f frameTicks) of(u *codecs.Unit) int64 {
	n := f.fixed
	switch f.codec {
	case codecs.Opus:
		n = opus.PacketDuration2(u.Payload[0])
	case codecs.PCMU, codecs.PCMA:
		n = int64(u.Size() / f.channels)
	default:
	}
	return max(n, 1)
}
