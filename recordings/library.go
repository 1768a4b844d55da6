package recordings

import "time"

// StreamInfo sums up what there is of a stream.
type StreamInfo struct {
	Stream
	Range           // from the first fragment to the end of the last
	Segments, Bytes int64
	// Format is that of the newest segment.
	Format Format
	// Recording says that a segment is being written now, Durable up to when it is
	// safe from a power cut.
	Recording bool
	Durable   Time
}

// Timeline is what there is of a stream in a range of time.
type Timeline struct {
	// Ranges are recorded, in order, apart from each other by at least the
	// resolution asked for.
	Ranges []Range
	// Gaps are those of at least the resolution, in order.
	Gaps []Gap
}

// Day sums up one day of a camera.
type Day struct {
	// Date is "2006-01-02" in the zone asked for.
	Date string
	// Recorded is how much of it there is, of all renditions together.
	Recorded time.Duration
	Bytes    int64
	Events   int64
}

// Disk is one directory that recordings are written to.
type Disk struct {
	// ID is what its marker says, Path where it is mounted.
	ID, Path string
	// Usable is false if it is not the directory that belongs here, or failed;
	// Reason then is a sentence.
	Usable bool
	Reason string
	// Total and Free are those of the file system, Used of the recordings.
	Total, Free, Used int64
}

// Writer writes one segment. A failed call ends it: the segment is what was
// written before. Not safe for concurrent use.
type Writer interface {
	// Append writes a fragment; f.Offset is where the one before ended. It is safe
	// from a power cut after the store's next sync.
	Append(f Fragment, data []byte) error
	// Close ends the segment. Idempotent.
	Close() error
}
