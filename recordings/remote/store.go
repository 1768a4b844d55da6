package remote

import (
	"context"
	"errors"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// Store is what recordings are written to, and compared with. Safe for concurrent
// use.
type Store interface {
	recorder.Store
	// Past returns what there is of a stream.
	Past(ctx context.Context, s recordings.Stream) (recorder.Past, error)
	// KeyFrames returns the times of key frames in r, in order: all of them, if there
	// are at most as many as most.
	KeyFrames(ctx context.Context, s recordings.Stream, r recordings.Range, most int) ([]recordings.Time, error)
	// Delete removes segments for good.
	Delete(ctx context.Context, refs ...recordings.Ref) error
	// Pauses and Events are those of a camera that overlap r.
	Pauses(ctx context.Context, camera string, r recordings.Range) ([]recordings.Pause, error)
	Events(ctx context.Context, camera string, r recordings.Range, limit int) ([]recordings.Event, error)
}

// Tape turns fragments into segments: a *recorder.Tape.
type Tape interface {
	SetTracks(video codecs.Track, sound *codecs.Track)
	Write(ctx context.Context, video, sound []*codecs.Unit, end recordings.Time) error
	Break(cause recordings.Cause, since recordings.Time) error
	End() recordings.Time
	Generation() int
	Close() error
}

var _ Tape = (*recorder.Tape)(nil)

// errBegun says that an agent's pictures begin too many segments.
var errBegun = errors.New("the pictures do not follow each other, and begin too many files")

// sparing is a store that begins only so many segments: what an agent sends decides
// when a new one is begun. The others are left to the background, which has a bound
// of its own.
type sparing struct {
	recorder.Store
	begun *rate.Limiter // constant
}

// Create implements recorder.Store.
func (s *sparing) Create(ctx context.Context, seg recordings.Segment, init []byte) (recordings.Writer, error) {
	if !s.begun.Allow() {
		return nil, errBegun
	}
	return s.Store.Create(ctx, seg, init)
}

// capturing is a store that remembers the segments it began.
type capturing struct {
	recorder.Store
	refs []recordings.Ref
}

// Create implements recorder.Store.
func (c *capturing) Create(ctx context.Context, seg recordings.Segment, init []byte) (recordings.Writer, error) {
	w, err := c.Store.Create(ctx, seg, init)
	if err == nil {
		c.refs = append(c.refs, seg.Ref)
	}
	return w, err
}
