package codecs

import "time"

// Unit is one coded frame: a video access unit, or one audio frame. A Unit is
// immutable once handed on, its Payload included: it is shared by all viewers
// and the recorder.
type Unit struct {
	// Track is the index of the unit's track in the stream's track list.
	Track int
	// PTS is the presentation time in ticks of the track's clock, unwrapped.
	// Units come in decoding order. The times never repeat, and never go back
	// except in a stream with B-frames; they go on rising across a reconnect.
	PTS int64
	// Wall is the capture time by the camera's clock (RTCP sender report);
	// zero while unknown.
	Wall time.Time
	// At is when the frame was captured, on the recording's time: microseconds
	// since the Unix epoch, UTC. It follows the clock of this machine without its
	// steps, and rises from unit to unit of a track as PTS does; see
	// docs/design/time.md. The camera's rendition sets it; 0 before that.
	At int64
	// Arrived is when the unit's last byte reached this process (with a
	// monotonic reading).
	Arrived time.Time
	// Key marks a video unit at which decoding can start: an H.264 IDR or
	// H.265 IRAP picture. Its Payload then begins with all the parameter sets
	// needed. Every audio unit is a Key.
	Key bool
	// Discardable marks a unit that no other refers to (nal_ref_idc 0).
	Discardable bool
	// Payload holds, for video, the NAL units of the access unit without
	// start codes (no access unit delimiters, no filler); for audio one
	// element, the coded frame.
	Payload [][]byte
}

// Size returns the number of payload bytes.
func (u *Unit) Size() int {
	n := 0
	for _, p := range u.Payload {
		n += len(p)
	}
	return n
}
