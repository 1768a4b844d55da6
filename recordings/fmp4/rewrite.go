package fmp4

import (
	"encoding/binary"
	"fmt"
)

// Edit says how a fragment becomes part of another file. Its size stays the same.
type Edit struct {
	// Sequence is the number of the video's moof; the sound's gets the next one.
	Sequence     uint32
	Video, Audio Placement
}

// Placement says where one track of a fragment goes.
type Placement struct {
	// Track is its number, Description that of its sample entry, both from 1 on.
	Track, Description uint32
	// At maps the media time at which the fragment begins in its segment.
	At func(int64) int64
}

// Rewrite edits a fragment in place and returns what of it belongs into another
// file: all but the check. It is the whole fragment, or its first VideoBytes. The
// error wraps ErrMalformed; then it may be half edited.
func Rewrite(fragment []byte, e Edit) ([]byte, error) {
	if len(fragment) < CheckBytes {
		return nil, fmt.Errorf("rewrite a fragment of %d bytes: %w", len(fragment), ErrMalformed)
	}
	media := fragment[CheckBytes:]
	pictures := 0
	for rest := media; len(rest) > 0; {
		kind, body, next, err := nextBox(rest)
		if err != nil {
			return nil, fmt.Errorf("rewrite a fragment: %w", err)
		}
		switch kind {
		case "prft":
			err = e.Video.rewriteReference(body)
		case "moof":
			var track uint32
			if track, next, err = e.rewriteMoof(len(rest)-len(next), body, next); track == videoTrack {
				pictures++
			}
		default:
			err = fmt.Errorf("box %q: %w", kind, ErrMalformed)
		}
		if err != nil {
			return nil, fmt.Errorf("rewrite a fragment: %w", err)
		}
		rest = next
	}
	if pictures != 1 {
		return nil, fmt.Errorf("rewrite a fragment with video %d times: %w", pictures, ErrMalformed)
	}
	return media, nil
}

// rewriteReference edits the content of a prft box.
func (p Placement) rewriteReference(b []byte) error {
	const trackAt, mediaAt, size = 4, 16, 24
	if len(b) != size {
		return fmt.Errorf("prft of %d bytes: %w", len(b), ErrMalformed)
	}
	binary.BigEndian.PutUint32(b[trackAt:], p.Track)
	media := p.At(int64(binary.BigEndian.Uint64(b[mediaAt:])))
	binary.BigEndian.PutUint64(b[mediaAt:], uint64(max(media, 0)))
	return nil
}

// rewriteMoof edits a moof of a size, and returns its track's number in the segment
// and what is after the mdat that belongs to it.
func (e *Edit) rewriteMoof(size int, body, rest []byte) (track uint32, after []byte, err error) {
	kind, media, after, err := nextBox(rest)
	if err != nil {
		return 0, nil, err
	}
	moof, err := parseMoof(body, len(media))
	if err != nil {
		return 0, nil, err
	}
	if kind != "mdat" || moof.dataOffset != size+boxHeader {
		return 0, nil, fmt.Errorf("moof without its mdat: %w", ErrMalformed)
	}
	sequence, place := e.Sequence, e.Video
	if moof.track == audioTrack {
		sequence, place = sequence+1, e.Audio
	}
	if moof.track != videoTrack && moof.track != audioTrack || place.At == nil {
		return 0, nil, fmt.Errorf("unexpected media of track %d: %w", moof.track, ErrMalformed)
	}
	be := binary.BigEndian
	be.PutUint32(body[moof.sequenceAt:], sequence)
	be.PutUint32(body[moof.trackAt:], place.Track)
	be.PutUint32(body[moof.trackAt+4:], place.Description) // follows the number in tfhd
	be.PutUint64(body[moof.timeAt:], uint64(max(place.At(moof.time), 0)))
	return moof.track, after, nil
}
