package playback

import (
	"context"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
)

// Library is what the API needs of a store. Its lists are in order of time. What it
// gives of segments that are being written is as far as they are written.
type Library interface {
	// Streams sums up every stream.
	Streams(ctx context.Context) ([]recordings.StreamInfo, error)
	// Segment returns one, without fragments unless asked to.
	Segment(ctx context.Context, ref recordings.Ref, fragments bool) (recordings.Segment, error)
	// Segments returns what overlaps r, the earliest first, at most limit of them (0:
	// all).
	Segments(ctx context.Context, s recordings.Stream, r recordings.Range, fragments bool, limit int) ([]recordings.Segment, error)
	Timeline(ctx context.Context, s recordings.Stream, r recordings.Range, resolution time.Duration) (recordings.Timeline, error)
	Days(ctx context.Context, camera string, loc *time.Location, r recordings.Range) ([]recordings.Day, error)
	// KeyFrames returns at most limit times, spread evenly.
	KeyFrames(ctx context.Context, s recordings.Stream, r recordings.Range, limit int) ([]recordings.Time, error)
	NearestKey(ctx context.Context, s recordings.Stream, at recordings.Time) (recordings.Segment, recordings.Fragment, error)
	// Open opens the file of a segment.
	Open(ctx context.Context, ref recordings.Ref) (Media, error)
	Disks(ctx context.Context) ([]recordings.Disk, error)

	// AddEvent writes an event down and gives it an ID.
	AddEvent(ctx context.Context, e recordings.Event) (recordings.Event, error)
	// Events returns the newest limit of those in r.
	Events(ctx context.Context, camera string, r recordings.Range, limit int) ([]recordings.Event, error)
	// AddLock writes a lock down and gives it an ID.
	AddLock(ctx context.Context, l recordings.Lock) (recordings.Lock, error)
	// RemoveLock removes one of this camera.
	RemoveLock(ctx context.Context, camera, id string) error
	Locks(ctx context.Context, camera string, r recordings.Range) ([]recordings.Lock, error)
	// Pause stops the recording of a camera, from r.From to r.To or, if that is 0,
	// until Resume.
	Pause(ctx context.Context, p recordings.Pause) error
	Resume(ctx context.Context, camera string) error
	// Paused returns the pause that a camera is in.
	Paused(camera string) (recordings.Pause, bool)
	Pauses(ctx context.Context, camera string, r recordings.Range) ([]recordings.Pause, error)
}

// Media is the file of a segment; one that is being written, as far as it was
// written when it was opened.
type Media = export.Media
