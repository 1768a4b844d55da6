package fmp4

import (
	"errors"
	"io"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// File is a segment to be read. Its fields must not be changed. Safe for
// concurrent use if its reader is.
type File struct {
	Header
	Format recordings.Format
	// InitBytes is the size of what stands before the first fragment.
	InitBytes int64
	Video     codecs.Track
	Audio     *codecs.Track // nil without sound

	r    io.ReaderAt
	size int64
}

// Open reads the beginning of a segment, at most MaxInitBytes. size is that of the
// whole file; fragments beyond it are not read. The error wraps ErrMalformed, or is
// the reader's.
func Open(r io.ReaderAt, size int64) (*File, error) {
	return nil, errors.New("not there yet")
}

// Scan yields the whole fragments from an offset on, which is where one begins; 0
// means the first. Only the checks in front of them are read; with verify
// everything is, and compared with its checksum. good is the offset after the last
// whole fragment that was yielded. The error is nil at a clean end or when yield
// returned false, wraps ErrTorn if what follows is no whole fragment, and is the
// reader's otherwise.
func (f *File) Scan(from int64, verify bool, yield func(recordings.Fragment) bool) (good int64, err error) {
	return 0, errors.New("not there yet")
}

// Units returns what AppendFragment made the fragment of. PTS are relative to the
// beginning of the segment, the payloads share memory with fragment. The error
// wraps ErrMalformed.
func (f *File) Units(fragment []byte) (video, audio []*codecs.Unit, err error) {
	return nil, nil, errors.New("not there yet")
}

// VideoInit returns init without the sound track, for players that cannot play the
// sound: they are given the first VideoBytes of each fragment.
func VideoInit(init []byte) ([]byte, error) { return nil, errors.New("not there yet") }

// Limits of what is read.
const (
	// MaxInitBytes is the largest beginning of a segment.
	MaxInitBytes = 1 << 20
	// MaxFragmentBytes is the largest fragment.
	MaxFragmentBytes = 256 << 20
)
