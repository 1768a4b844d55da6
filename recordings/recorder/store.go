package recorder

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
)

// Store is where a Tape writes segments. *disk.Store is one. Safe for concurrent
// use.
type Store interface {
	// Create begins a segment. Of seg it uses Ref, Format, Origin, Before, Gaps
	// and ClockOffset; init is what stands before the first fragment.
	Create(ctx context.Context, seg recordings.Segment, init []byte) (recordings.Writer, error)
}

// Catalogue is what a Recorder needs of a store beside that.
type Catalogue interface {
	Store
	// Sync makes everything durable that was appended before.
	Sync(ctx context.Context) error
	// Paused returns the pause that a camera is in.
	Paused(camera string) (recordings.Pause, bool)
	// Events returns the events of a camera that overlap r, the newest limit.
	Events(ctx context.Context, camera string, r recordings.Range, limit int) ([]recordings.Event, error)
	// Past returns what there is of a stream already.
	Past(ctx context.Context, s recordings.Stream) (Past, error)
}

// Past is where a stream stands before a tape goes on with it. The zero value is
// a stream without any segment.
type Past struct {
	// End is the greatest end of all its segments, 0 if there are none.
	End recordings.Time
	// Generation is the greatest of its segments.
	Generation int
	// Cause is why there is nothing after End: NotRecording, or Crash if a segment
	// had not been closed. Default NotRecording.
	Cause recordings.Cause
}
