package fmp4

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/sightline-cam/sightline/recordings"
)

// Span is what a track of a fragment covers in the segment's media time, in ticks
// of the track's clock.
type Span struct {
	// Start is when the first frame is decoded, End when the last one has been.
	Start, End int64
	// Shown is when the first frame is shown or heard, Over when the last one has been,
	// by media time: File.Delay is to be taken off.
	Shown, Over int64
}

// maxMoof is more than the largest moof has.
const maxMoof = moofBytes + maxSamples*(sampleBytes+timesPerFrame)

// ReadSpans returns what the tracks of a fragment cover, without reading their
// media; audio is empty without sound. The error wraps ErrMalformed or is the
// reader's.
func ReadSpans(r io.ReaderAt, f recordings.Fragment) (video, audio Span, err error) {
	at := f.Offset + CheckBytes
	if at, err = skipReference(r, at); err != nil {
		return video, audio, fmt.Errorf("read the times of a fragment: %w", err)
	}
	if video, err = readSpan(r, at, f.Offset+f.VideoBytes, videoTrack); err != nil {
		return video, audio, fmt.Errorf("read the times of a fragment: %w", err)
	}
	if f.Bytes > f.VideoBytes {
		if audio, err = readSpan(r, f.Offset+f.VideoBytes, f.Offset+f.Bytes, audioTrack); err != nil {
			return video, audio, fmt.Errorf("read the times of a fragment: %w", err)
		}
	}
	return video, audio, nil
}

// skipReference returns the offset behind a prft box.
func skipReference(r io.ReaderAt, at int64) (int64, error) {
	const prftBytes = boxHeader + 24
	var b [boxHeader]byte
	if err := readFull(r, b[:], at); err != nil {
		return 0, err
	}
	if string(b[4:]) != "prft" || binary.BigEndian.Uint32(b[:]) != prftBytes {
		return 0, fmt.Errorf("box %q where prft should be: %w", b[4:], ErrMalformed)
	}
	return at + prftBytes, nil
}

// readSpan reads the moof at an offset, which ends with its mdat at another.
func readSpan(r io.ReaderAt, at, end int64, track uint32) (s Span, err error) {
	var header [boxHeader]byte
	if err := readFull(r, header[:], at); err != nil {
		return s, err
	}
	size := int64(binary.BigEndian.Uint32(header[:]))
	if string(header[4:]) != "moof" || size < boxHeader || size > maxMoof || at+size+boxHeader > end {
		return s, fmt.Errorf("box %q of %d bytes where moof should be: %w", header[4:], size, ErrMalformed)
	}
	b := make([]byte, size-boxHeader)
	if err := readFull(r, b, at+boxHeader); err != nil {
		return s, err
	}
	p, err := parseMoof(b, int(end-at-size-boxHeader))
	if err != nil {
		return s, err
	}
	if p.track != track {
		return s, fmt.Errorf("media of track %d: %w", p.track, ErrMalformed)
	}
	s = Span{Start: p.time, End: p.time, Shown: math.MaxInt64}
	for _, sample := range p.samples {
		shown := s.End + int64(sample.offset)
		s.Shown = min(s.Shown, shown)
		s.Over = max(s.Over, shown+int64(sample.duration))
		s.End += int64(sample.duration)
	}
	return s, nil
}
