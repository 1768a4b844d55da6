package export

import (
	"context"
	"errors"

	"github.com/sightline-cam/sightline/recordings"
)

// Export is an MP4 file that is made while it is read. It is an io.ReadSeeker and an
// io.Closer. Not safe for concurrent use.
type Export struct {
	size int64
}

// ErrNothing says that nothing is recorded in the range.
var ErrNothing = errors.New("nothing is recorded in that time")

// New lays out the export of a range of one stream. segments have their Fragments;
// those outside the range are left alone. It begins with the key frame at or before
// r.From and ends with the fragment that r.To lies in. Only the beginnings of the
// segments are read. The error wraps ErrNothing if there is nothing to export.
//
// ctx also ends reading.
func New(ctx context.Context, open Opener, segments []recordings.Segment, r recordings.Range, o Options) (*Export, error) {
	return nil, errors.New("not there yet")
}

// Size returns the size of the file in bytes.
func (e *Export) Size() int64 { return e.size }

// Range returns what the export covers: from its first key frame to the end of its
// last fragment.
func (e *Export) Range() recordings.Range { return recordings.Range{} }

// Read implements io.Reader.
func (e *Export) Read(p []byte) (int, error) { return 0, errors.New("not there yet") }

// Seek implements io.Seeker. It reads nothing.
func (e *Export) Seek(offset int64, whence int) (int64, error) {
	return 0, errors.New("not there yet")
}

// Close closes the segments. Idempotent.
func (e *Export) Close() error { return nil }
