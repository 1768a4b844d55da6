package fmp4

import (
	"errors"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// Muxer makes the bytes of one segment. Not safe for concurrent use.
type Muxer struct {
	// Constant after construction.
	init   []byte
	format recordings.Format
}

// NewMuxer returns the muxer of a segment. The video track has to have its
// parameter sets. Without sound, audio is nil; sound that MP4 cannot hold is left
// out, which Format().Audio tells.
func NewMuxer(h Header, video codecs.Track, audio *codecs.Track) (*Muxer, error) {
	return nil, errors.New("not there yet")
}

// Init returns what the file begins with, before the first fragment. It must not
// be changed.
func (m *Muxer) Init() []byte { return m.init }

// Format returns how the segment's streams are coded.
func (m *Muxer) Format() recordings.Format { return m.format }

// AppendFragment appends the boxes of the next fragment to dst and describes it;
// its Offset is 0. Nothing of the units is kept.
//
// video are units in decoding order, at least one. audio are those captured in
// the same time, in order; units from before the segment began are left out.
// end is when the next fragment begins: At of the next unit; 0, only for the last
// fragment of a segment, makes a guess of it. A fragment begins where the one
// before ended, the first one at the segment's Start.
//
// An error leaves dst and the muxer as they were. It wraps ErrDiscontinuity if the
// units belong into a new segment.
func (m *Muxer) AppendFragment(dst []byte, video, audio []*codecs.Unit, end recordings.Time) ([]byte, recordings.Fragment, error) {
	return dst, recordings.Fragment{}, errors.New("not there yet")
}
