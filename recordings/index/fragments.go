package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// The fragments of a segment as bytes: a version, the number of fragments, and for
// each of them what differs from what the one before lets expect. All numbers are
// varints (package encoding/binary); docs/design/index.md has the layout.
const (
	fragmentsVersion = 1
	// maxFragments: 5 minutes of a camera that sends only key frames, 200 a second.
	maxFragments = 60_000
	// minFragmentBytes is what a fragment takes at least.
	minFragmentBytes = 5
)

// What is in a fragment's first number, beside the number of frames.
const (
	isKey      = 1 << iota
	startsElse // not where the one before ended; by how much follows
	liesElse   // not where the one before ended in the file; by how much follows
	headBits   = iota
)

// The largest values, so that no sum overflows.
const (
	maxFrames   = 1 << 24
	maxDuration = 1 << 40 // microseconds: 12 days
	maxSize     = 1 << 40
	maxTime     = 1 << 53 // microseconds since 1970: the year 2255; ticks
	maxStep     = 1 << 55 // between any two of them
)

var errFragments = errors.New("the list of fragments is damaged")

// fragmentCoder holds what the fragment before was.
type fragmentCoder struct {
	end, offset     int64 // what is expected of the next one
	media, duration int64
}

func newFragmentCoder(start recordings.Time) fragmentCoder {
	return fragmentCoder{end: int64(start)}
}

func (c *fragmentCoder) next(f *recordings.Fragment) {
	c.duration = f.Duration.Microseconds()
	c.end = int64(f.Start) + c.duration
	c.offset = f.Offset + f.Bytes
	c.media = f.MediaStart + ticks(c.duration)
}

// ticks converts microseconds to those of 90 kHz.
func ticks(us int64) int64 { return us * 9 / 100 }

// encodeFragments returns the fragments of a segment that begins at start, or nil
// if there are none.
func encodeFragments(start recordings.Time, fragments []recordings.Fragment) ([]byte, error) {
	if len(fragments) == 0 {
		return nil, nil
	}
	if len(fragments) > maxFragments {
		return nil, fmt.Errorf("%d fragments; a segment has at most %d", len(fragments), maxFragments)
	}
	b := append(make([]byte, 0, 16+12*len(fragments)), fragmentsVersion)
	b = binary.AppendUvarint(b, uint64(len(fragments)))
	c := newFragmentCoder(start)
	for i := range fragments {
		f := &fragments[i]
		if err := validFragment(f); err != nil {
			return nil, fmt.Errorf("fragment %d: %w", i, err)
		}
		head := uint64(f.Frames) << headBits
		if f.Key {
			head |= isKey
		}
		if int64(f.Start) != c.end {
			head |= startsElse
		}
		if f.Offset != c.offset {
			head |= liesElse
		}
		b = binary.AppendUvarint(b, head)
		if head&startsElse != 0 {
			b = binary.AppendVarint(b, int64(f.Start)-c.end)
		}
		if head&liesElse != 0 {
			b = binary.AppendVarint(b, f.Offset-c.offset)
		}
		b = binary.AppendVarint(b, f.Duration.Microseconds()-c.duration)
		b = binary.AppendVarint(b, f.MediaStart-c.media)
		b = binary.AppendUvarint(b, uint64(f.Bytes))
		b = binary.AppendUvarint(b, uint64(f.Bytes-f.VideoBytes))
		c.next(f)
	}
	return b, nil
}

// decodeFragments is the inverse. What it allocates is bounded by the length of b.
func decodeFragments(start recordings.Time, b []byte) ([]recordings.Fragment, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] != fragmentsVersion {
		return nil, fmt.Errorf("%w: version %d", errFragments, b[0])
	}
	in := numbers{rest: b[1:]}
	count := in.unsigned()
	if count == 0 || count > maxFragments || count > uint64(len(in.rest)/minFragmentBytes) {
		return nil, fmt.Errorf("%w: %d fragments in %d bytes", errFragments, count, len(b))
	}
	fragments := make([]recordings.Fragment, count)
	c := newFragmentCoder(start)
	for i := range fragments {
		f := &fragments[i]
		head := in.unsigned()
		f.Key, f.Frames = head&isKey != 0, int(min(head>>headBits, maxFrames+1))
		f.Start, f.Offset = recordings.Time(c.end), c.offset
		if head&startsElse != 0 {
			f.Start += recordings.Time(in.signed())
		}
		if head&liesElse != 0 {
			f.Offset += in.signed()
		}
		duration := c.duration + in.signed()
		f.MediaStart = c.media + in.signed()
		f.Bytes = in.size()
		f.VideoBytes = f.Bytes - in.size()
		if duration < 0 || duration > maxDuration {
			return nil, fmt.Errorf("%w: fragment %d lasts %d µs", errFragments, i, duration)
		}
		f.Duration = time.Duration(duration) * time.Microsecond
		if err := validFragment(f); err != nil {
			return nil, fmt.Errorf("%w: fragment %d: %w", errFragments, i, err)
		}
		c.next(f)
	}
	if in.failed || len(in.rest) > 0 {
		return nil, fmt.Errorf("%w: it has another length than it says", errFragments)
	}
	return fragments, nil
}

// validFragment reports what no fragment can be.
func validFragment(f *recordings.Fragment) error {
	switch {
	case f.Start < 0 || f.Start > maxTime:
		return fmt.Errorf("starts at %d µs", int64(f.Start))
	case f.Duration < 0 || f.Duration.Microseconds() > maxDuration || f.Duration%time.Microsecond != 0:
		return fmt.Errorf("lasts %v", f.Duration)
	case f.MediaStart < -maxTime || f.MediaStart > maxTime:
		return fmt.Errorf("starts at tick %d", f.MediaStart)
	case f.Offset < 0 || f.Offset > maxSize || f.Bytes < 0 || f.Bytes > maxSize || f.VideoBytes < 0 || f.VideoBytes > f.Bytes:
		return fmt.Errorf("%d bytes at %d, %d of them video", f.Bytes, f.Offset, f.VideoBytes)
	case f.Frames < 0 || f.Frames > maxFrames:
		return fmt.Errorf("%d frames", f.Frames)
	}
	return nil
}

// numbers reads varints; after the first failure it reads zeros.
type numbers struct {
	rest   []byte
	failed bool
}

func (n *numbers) unsigned() uint64 {
	v, size := binary.Uvarint(n.rest)
	if n.took(size) {
		return v
	}
	return 0
}

func (n *numbers) signed() int64 {
	v, size := binary.Varint(n.rest)
	if n.took(size) && v >= -maxStep && v <= maxStep {
		return v
	}
	n.failed = true
	return 0
}

// size reads an unsigned number up to just over maxSize.
func (n *numbers) size() int64 { return int64(min(n.unsigned(), maxSize+1)) }

func (n *numbers) took(size int) bool {
	if size <= 0 {
		n.rest, n.failed = nil, true
		return false
	}
	n.rest = n.rest[size:]
	return true
}
