package index

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

var errSkeleton = errors.New("index: not written yet")

// Index is an open index. Safe for concurrent use.
type Index struct{}

// Open opens the index at the path, makes it if there is none, and brings one of
// an older version up to date. Errors: ErrCorrupt, ErrForeign, ErrNewer.
func Open(ctx context.Context, path string, o Options) (*Index, error) { return &Index{}, errSkeleton }

// ID is the random name that the index got when it was made; the markers of its
// directories have it.
func (x *Index) ID() string { return "" }

// Close writes everything out and closes the files. Idempotent; calls under way
// are waited for.
func (x *Index) Close() error { return nil }

// Put inserts or replaces rows, all or none, in one transaction. A row is then
// exactly as given: also its fragments and gaps, and a tombstone is gone. What is
// committed survives the end of the process; a power cut only after Sync, the next
// Tombstone or the next checkpoint.
func (x *Index) Put(ctx context.Context, segs ...recordings.Segment) error { return errSkeleton }

// Sync makes everything that was put before durable: one fsync of the log.
func (x *Index) Sync(ctx context.Context) error { return errSkeleton }

// Tombstone marks rows as deleted, durably: from then on only Tombstoned returns
// them. Rows that are not there are passed over.
func (x *Index) Tombstone(ctx context.Context, refs ...recordings.Ref) error { return errSkeleton }

// Purge removes rows, tombstoned or not. Rows that are not there are passed over.
func (x *Index) Purge(ctx context.Context, refs ...recordings.Ref) error { return errSkeleton }

// Tombstoned returns the rows that are marked as deleted, without fragments.
func (x *Index) Tombstoned(ctx context.Context) ([]recordings.Segment, error) {
	return nil, errSkeleton
}

// OpenSegments returns the rows with Open, with their fragments.
func (x *Index) OpenSegments(ctx context.Context) ([]recordings.Segment, error) {
	return nil, errSkeleton
}

// Segment returns one row that is not tombstoned, or ErrNotFound.
func (x *Index) Segment(ctx context.Context, ref recordings.Ref, fragments bool) (recordings.Segment, error) {
	return recordings.Segment{}, errSkeleton
}

// SegmentsOptions say what Segments returns. The zero value: all, without
// fragments.
type SegmentsOptions struct {
	Fragments bool
	// Limit is how many at most, the earliest; 0: all.
	Limit int
}

// Segments returns what overlaps r, by start. Where generations overlap, the
// newest wins: of an older one only segments are returned of which a part in r is
// covered by none that is newer, and of its fragments those that begin in such a
// part, from a key frame on. Segments that cover no time yet are not returned.
func (x *Index) Segments(ctx context.Context, stream recordings.Stream, r recordings.Range, o SegmentsOptions) ([]recordings.Segment, error) {
	return nil, errSkeleton
}

// Oldest returns finished segments that start after the given time, by start, all
// generations together, without fragments; at most limit, and as many more as
// start at the same time as the last.
func (x *Index) Oldest(ctx context.Context, stream recordings.Stream, after recordings.Time, limit int) ([]recordings.Segment, error) {
	return nil, errSkeleton
}

// Streams sums up every stream that has segments, by camera and rendition. Durable
// is the end of what the index knows.
func (x *Index) Streams(ctx context.Context) ([]recordings.StreamInfo, error) {
	return nil, errSkeleton
}

// Used is how many bytes of the directory the segments take that are not
// tombstoned.
func (x *Index) Used(ctx context.Context, dir string) (int64, error) { return 0, errSkeleton }

// Timeline returns what there is in r, all generations together. Holes shorter
// than the resolution are closed. Holes between two segments are gaps, with the
// causes that the later one's Gaps name, else its Before, else Unknown.
func (x *Index) Timeline(ctx context.Context, stream recordings.Stream, r recordings.Range, resolution time.Duration) (recordings.Timeline, error) {
	return recordings.Timeline{}, errSkeleton
}

// Days sums up the days that r touches and on which there is something, in order.
// A day is from midnight to midnight in loc: 23 or 25 hours when clocks are
// changed. Time that several renditions cover counts once; the bytes of a segment
// that lasts over midnight are divided by time.
func (x *Index) Days(ctx context.Context, camera string, loc *time.Location, r recordings.Range) ([]recordings.Day, error) {
	return nil, errSkeleton
}

// KeyFrames returns the times of key frames in r, in order: all, or max that are
// spread evenly.
func (x *Index) KeyFrames(ctx context.Context, stream recordings.Stream, r recordings.Range, maxFrames int) ([]recordings.Time, error) {
	return nil, errSkeleton
}

// NearestKey returns the fragment whose key frame is nearest to the time, and its
// segment with all its fragments; ErrNotFound if the stream has none.
func (x *Index) NearestKey(ctx context.Context, stream recordings.Stream, at recordings.Time) (recordings.Segment, recordings.Fragment, error) {
	return recordings.Segment{}, recordings.Fragment{}, errSkeleton
}

// PutEvent inserts or replaces an event by its id.
func (x *Index) PutEvent(ctx context.Context, e recordings.Event) error { return errSkeleton }

// Events returns events of the camera that overlap r (or begin in it, if they last
// no time), by start: the newest limit of them, or all if it is 0.
func (x *Index) Events(ctx context.Context, camera string, r recordings.Range, limit int) ([]recordings.Event, error) {
	return nil, errSkeleton
}

// DeleteEventsBefore deletes the camera's events that ended before the time, and
// says how many.
func (x *Index) DeleteEventsBefore(ctx context.Context, camera string, before recordings.Time) (int64, error) {
	return 0, errSkeleton
}

// PutLock inserts or replaces a lock by its id.
func (x *Index) PutLock(ctx context.Context, l recordings.Lock) error { return errSkeleton }

// DeleteLock deletes a lock, or returns ErrNotFound.
func (x *Index) DeleteLock(ctx context.Context, id string) error { return errSkeleton }

// Locks returns the locks of the camera that overlap r, by start; of all cameras
// if it is empty.
func (x *Index) Locks(ctx context.Context, camera string, r recordings.Range) ([]recordings.Lock, error) {
	return nil, errSkeleton
}

// PutPause inserts or replaces a pause by its camera and From.
func (x *Index) PutPause(ctx context.Context, p recordings.Pause) error { return errSkeleton }

// Pauses returns the pauses of the camera that overlap r, by start; of all cameras
// if it is empty. One without an end (To is 0) overlaps everything after From.
func (x *Index) Pauses(ctx context.Context, camera string, r recordings.Range) ([]recordings.Pause, error) {
	return nil, errSkeleton
}

// Dump writes everything that can be derived from the files as text, a line for
// each thing, in an order of its own: two indexes of the same files have the same
// dump. Tombstoned rows are left out.
func (x *Index) Dump(ctx context.Context, w io.Writer) error { return errSkeleton }

// Check examines the whole database, however long that takes, and counts
// everything again. It returns sentences about what is wrong; none: all is well.
func (x *Index) Check(ctx context.Context) ([]string, error) { return nil, errSkeleton }

// Clean reports what SetClean said last; false for a new index.
func (x *Index) Clean(ctx context.Context) (bool, error) { return false, errSkeleton }

// SetClean notes durably whether the store was closed in good order.
func (x *Index) SetClean(ctx context.Context, clean bool) error { return errSkeleton }
