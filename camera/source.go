// Package camera takes pictures from cameras and fans them out: a Source is one
// connection to a camera, a Supervisor keeps it alive, a Hub holds its last
// frames and serves any number of subscriptions.
package camera

import (
	"context"

	"github.com/sightline-cam/sightline/codecs"
)

// Source is one way to reach a camera.
type Source interface {
	// Run connects, hands everything it receives to out, and returns when the
	// connection ends (always with an error that says why) or ctx does. One
	// connection, no retry inside. out is called from one goroutine at a time.
	Run(ctx context.Context, out Output) error
}

// KeyFrameRequester is a Source whose camera can be asked for a key frame.
type KeyFrameRequester interface {
	// RequestKeyFrame asks for a key frame soon. It does not block, may be
	// called at any time, and limits its own rate.
	RequestKeyFrame()
}

// Attentive is a Source that can do with less effort while nobody watches: then
// frames may come some tenths of a second later, several at once.
type Attentive interface {
	// SetWatched says whether somebody watches. It does not block and may be called
	// at any time; before the first call nobody does.
	SetWatched(watched bool)
}

// Output receives what a Source produces.
type Output interface {
	// SetTracks announces the tracks; before the first unit of a connection
	// and whenever a parameter set or format changes.
	SetTracks(tracks []codecs.Track)
	// WriteUnit hands on one unit. The unit must not be changed afterwards.
	WriteUnit(u *codecs.Unit)
	// Warn tells the user about a defect that does not end the connection,
	// for example B-frames, with a sentence that says what to change.
	// An empty text withdraws the warning of that kind.
	Warn(kind, text string)
}
