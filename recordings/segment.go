package recordings

import "time"

// Ref names a segment. No two have the same, wherever they lie: segments of one
// stream and generation never overlap, so their start is enough.
type Ref struct {
	Stream
	// Generation counts how often the stream's clock was set back so far that its
	// times began anew; see docs/design/time.md. Almost always 0.
	Generation int
	Start      Time
}

// Segment is a file of fragments that plays by itself.
type Segment struct {
	Ref
	// End is when the last fragment ends.
	End Time
	// Dir is the id of the directory that it lies in, Path where, with slashes.
	Dir, Path string
	// InitBytes is the size of what stands before the first fragment, Bytes of all.
	InitBytes, Bytes int64
	Format           Format
	// Open says that it is still being written.
	Open bool
	// Origin is how it came here.
	Origin Origin
	// Before is why there is nothing directly before it; empty if there is, or if
	// it is the first.
	Before Cause
	// Gaps are between the segment before and this one, in order, at most 16; each
	// ends at Start at the latest.
	Gaps []Gap
	// ClockOffset is how far the recording's time was ahead of the clock on the
	// wall at Start: more than some milliseconds after the clock was set.
	ClockOffset time.Duration
	// Fragments are in order, without a hole between them. The index gives them
	// only where asked to.
	Fragments []Fragment
}

// Range is what the segment covers.
func (s *Segment) Range() Range { return Range{s.Start, s.End} }

// Origin is how a segment came to be.
type Origin string

// The origins of segments.
const (
	Live     Origin = "live"     // written as it came
	Backfill Origin = "backfill" // fetched later, out of an agent's spool
)

// Fragment is the smallest durable piece: a GOP, or about a second of a longer one.
type Fragment struct {
	Start    Time
	Duration time.Duration // a multiple of a microsecond, up to the next one's Start
	// MediaStart is where it begins in the segment by the camera's own clock, in
	// ticks of 90 kHz: the tfdt of its video.
	MediaStart int64
	// Offset and Bytes are where it lies in the file.
	Offset, Bytes int64
	// VideoBytes of Bytes, from Offset, are the boxes up to the end of the video;
	// what follows is sound.
	VideoBytes int64
	// Key says that it begins with a key frame.
	Key bool
	// Frames is the number of pictures.
	Frames int
}

// End is when the next one begins.
func (f *Fragment) End() Time { return f.Start.Add(f.Duration) }

// Format is how the streams of a segment are coded.
type Format struct {
	// Video is as in RFC 6381: "avc1.42e01f", "hvc1.1.6.L93.B0".
	Video         string
	Width, Height int
	// Audio is "mp4a.40.2", "opus", "ulaw", "alaw", or empty without sound.
	Audio      string
	SampleRate int
	Channels   int
	// Signed says that the video carries ONVIF media signatures.
	Signed bool
}
