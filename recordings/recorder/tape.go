package recorder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// TapeOptions configure a Tape. Stream and Store are required.
type TapeOptions struct {
	Stream recordings.Stream
	Store  Store
	// CameraName is what people call the camera. Default: its id.
	CameraName string
	// Origin is how the frames come here. Default recordings.Live.
	Origin recordings.Origin
	// Past is what there is of the stream already: what overlaps it gets a new
	// generation, and the first segment says why there is a gap before it. The zero
	// value for frames that fill a hole.
	Past Past
	// SegmentDuration is after how long a new segment begins, at the next key
	// frame. Default 5 minutes.
	SegmentDuration time.Duration
	// Writer names the program in the files. Default "sightline".
	Writer string
	// CauseOf says what an error of the store means. Default: DiskFull where it
	// wraps ENOSPC or EDQUOT, else DiskFailed.
	CauseOf func(error) recordings.Cause
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

// Tape writes the frames of one stream into one segment after another. A segment
// ends at the first key frame after SegmentDuration, where codec, parameter sets
// or sound change, where the times step, at a Break, and when it cannot be
// written. Not safe for concurrent use.
type Tape struct{}

// NewTape returns a tape that has not written anything. It does no I/O.
func NewTape(o TapeOptions) *Tape { return &Tape{} }

// SetTracks says how the units of the next Write are coded; sound nil: there is
// none, or it is not wanted. Parameter sets in the units themselves override those
// of video. A sound that MP4 cannot hold is left out.
func (t *Tape) SetTracks(video codecs.Track, sound *codecs.Track) {}

// Write writes units of one or several fragments, in decoding order: a new one
// begins at each key frame, and the last one ends with the units. end is when the
// unit after them begins, 0 if nobody knows: then it is guessed. Units before the
// first key frame of a segment are dropped. Sound is kept until video covers it.
//
// An error is why the units, or some of them, were not written; the next key frame
// begins a new segment, if the store lets it, after a gap with the cause.
func (t *Tape) Write(ctx context.Context, video, sound []*codecs.Unit, end recordings.Time) error {
	return errors.New("not written yet")
}

// Break ends the segment. Nothing is recorded for that cause since the given time;
// 0: since what was written last. The next segment says so.
func (t *Tape) Break(cause recordings.Cause, since recordings.Time) {}

// End is the end of what was written last; 0 before.
func (t *Tape) End() recordings.Time { return 0 }

// Recording reports whether a segment is open.
func (t *Tape) Recording() bool { return false }

// Close ends the segment. Idempotent.
func (t *Tape) Close() error { return nil }
