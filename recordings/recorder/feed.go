package recorder

import (
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

// Feed is one rendition of a camera as its hub gives it; package camerafeed makes
// one of a camera.Camera.
type Feed interface {
	// Tracks are those of the source; empty while they are not known.
	Tracks() []codecs.Track
	// SubscribeVideo begins at the newest cached key frame, SubscribeAudio live.
	SubscribeVideo() Subscription
	SubscribeAudio() Subscription
	// Offline says in a sentence why nothing comes from the camera; empty if it is
	// connected.
	Offline() string
	// RequestKeyFrame asks the camera for a key frame, where it can be asked. It
	// does not block.
	RequestKeyFrame()
}

// Subscription is a position in a Feed. *camera.Subscription is one.
type Subscription interface {
	// Next returns the next frame, nil if there is none yet. skipped frames before
	// it were lost, because this consumer was slow. ok is false at the end.
	Next() (f *rtppack.Frame, skipped int, ok bool)
	Close()
}
