package fragment

import (
	"errors"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// ErrMalformed is wrapped by every error about bytes that are no fragment.
var ErrMalformed = errors.New("malformed fragment")

// Limits of a fragment. What is larger is neither encoded nor decoded.
const (
	// MaxBytes is how many bytes of payload a fragment has at most.
	MaxBytes = 16 << 20
	// MaxPictures and MaxSounds are how many units it has at most: five minutes
	// at 25 frames a second, and at 20 ms a frame.
	MaxPictures = 7500
	MaxSounds   = 15000
	// maxSet is how many bytes a parameter set, or the configuration of a codec,
	// has at most.
	maxSet = 4 << 10
	// MaxHead is how many bytes a head has at most.
	MaxHead = 1 << 20
)

// Joint is how a fragment follows the one before in the same spool.
type Joint uint8

// The joints.
const (
	// Direct: it begins when the one before ends, or what is between was not
	// kept by the spool.
	Direct Joint = iota
	// Interruption: the camera's connection was lost between the two.
	Interruption
	// Restart: the agent was started anew between the two.
	Restart
)

// String returns the joint's word in a list; empty for Direct.
func (j Joint) String() string {
	switch j {
	case Interruption:
		return "interruption"
	case Restart:
		return "restart"
	case Direct:
	}
	return ""
}

// Fragment is a group of pictures (GOP) with the sound of its time. Immutable once
// handed on.
type Fragment struct {
	// VideoTrack and AudioTrack describe the streams; AudioTrack is nil without
	// sound.
	VideoTrack codecs.Track
	AudioTrack *codecs.Track
	// Video are the pictures in decoding order, the first of them a key frame;
	// Audio the sound captured from the key frame on until the next one. Of a unit
	// PTS, At, Key, Discardable and Payload are kept; Track is 0 for video and 1
	// for sound.
	Video, Audio []*codecs.Unit
	// Duration is up to the key frame of the next fragment, or the end of the last
	// picture where that does not follow; whole microseconds.
	Duration time.Duration
	// Joint is how it follows the one before.
	Joint Joint
	// Cut says that the GOP went on, and was too long for a fragment.
	Cut bool
}

// Start is when the key frame was captured, in microseconds since the Unix epoch.
func (f *Fragment) Start() int64 { return f.Video[0].At }

// End is Start plus Duration.
func (f *Fragment) End() int64 { return f.Start() + f.Duration.Microseconds() }

// size is how many bytes of payload units have.
func size(units []*codecs.Unit) int {
	n := 0
	for _, u := range units {
		n += u.Size()
	}
	return n
}
