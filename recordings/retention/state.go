package retention

import (
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// State is what Plan decides by.
type State struct {
	Now recordings.Time
	// Started is when this process began: the least age of what was recorded with a
	// clock that had not been set.
	Started recordings.Time
	// Skipped are times that may not have passed, because the clock leapt over them.
	// They make nothing older. Not overlapping.
	Skipped []recordings.Range
	// Cameras by their ids. What is of no camera here is left alone.
	Cameras map[string]Camera
	Disks   []Disk
	// Segments are what may be deleted, in any order: finished ones only.
	Segments []Segment
	// Limit is how many are deleted at most.
	Limit int
}

// Camera is what is known of one.
type Camera struct {
	Rules
	// Bytes are those of all its segments, Locked of those that are locked. These do
	// not count against MaxBytes.
	Bytes, Locked int64
	counting      bool // Locked is not known yet
	// Events and Locks are those that may concern State.Segments.
	Events, Locks []recordings.Range
}

// Disk is a directory that recordings lie in.
type Disk struct {
	// ID is that in Segment.Dir, Path where it is.
	ID, Path string
	// Free is how much room its file system has. Below Low room is made, up to High.
	Free, Low, High int64
}

// Segment is one that may be deleted.
type Segment struct {
	recordings.Ref
	End   recordings.Time
	Dir   string
	Bytes int64
}

// Reason is why a segment is deleted.
type Reason string

// The reasons, in the order in which they are looked at.
const (
	// TooOld: older than Rules.Keep, or KeepEvents.
	TooOld Reason = "age"
	// TooMuch: its camera has more than Rules.MaxBytes.
	TooMuch Reason = "camera-bytes"
	// NoRoom: the room on its disk is needed.
	NoRoom Reason = "disk-space"
)

// Plan is what is to be done.
type Plan struct {
	// Delete are segments, the first first.
	Delete []Deletion
	// Short are disks on which there will be less room than Low, even when all that
	// may be is deleted.
	Short []Shortage
}

// Deletion is a segment to delete.
type Deletion struct {
	Segment
	Reason Reason
}

// Shortage is room that cannot be made.
type Shortage struct {
	Disk
	// Missing is how much of Low there is not, in bytes.
	Missing int64
}

const (
	// clockSet is when this program did not exist: a time before says that the clock
	// had not been set. 1 January 2020.
	clockSet recordings.Time = 1_577_836_800_000_000
	// clockAhead is how far in the future a recording may be.
	clockAhead = 24 * time.Hour
)

// age is how long ago something ended, as far as that is believable.
func (s *State) age(end recordings.Time) time.Duration {
	age := s.Now.Sub(end)
	for _, r := range s.Skipped {
		age -= max(recordings.Range{From: max(r.From, end), To: min(r.To, s.Now)}.Duration(), 0)
	}
	return age
}
