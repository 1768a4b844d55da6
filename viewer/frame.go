package viewer

import (
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/peer"
)

// Frame is one coded frame from a camera.
type Frame struct {
	// Camera is the id the camera was asked for by; "" is the publisher's
	// first.
	Camera string
	// Codec is the frame's coding format.
	Codec codecs.Codec
	// Unit is the frame. It must not be changed. Its PTS ticks at 90 kHz for
	// video, at the sampling rate for audio.
	Unit *codecs.Unit
}

// Stats is what is known of a session: path, round trip time, streams.
type Stats = peer.ConnStats
