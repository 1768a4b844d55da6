package playback

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// shifted reads fragments as if their media began later: the decoding times in front
// of them (tfdt, ISO/IEC 14496-12 §8.8.12) are greater by the shift, everything else
// is the same, length and places included. Of two files whose times both begin at 0
// ffmpeg, and whatever is built on it, drops the beginning of the second one,
// EXT-X-DISCONTINUITY or not.
//
// It is an io.ReaderAt for one goroutine.
type shifted struct {
	// Constant after construction.
	media  io.ReaderAt
	end    int64 // of what may be read
	shift  time.Duration
	clocks [3]int64 // ticks a second, by number of the track

	at      int64   // where the next box begins that was not looked at
	patches []patch // before that, in order: two for each fragment at most
}

// patch is a decoding time to be shown in place of the one in the file.
type patch struct {
	at   int64
	time [8]byte
}

// Bounds of what is looked at.
const (
	boxHeader = 8
	moofHead  = 256 // where the decoding time of a fragment is found, in bytes
)

// newShifted reads media from the place on where a fragment begins, up to end. audio
// is the clock of the sound, 0 without any.
func newShifted(media io.ReaderAt, from, end int64, shift time.Duration, audio int) *shifted {
	return &shifted{media: media, at: from, end: end, shift: shift, clocks: [3]int64{0, fmp4.VideoClock, int64(audio)}}
}

// ReadAt implements io.ReaderAt.
func (s *shifted) ReadAt(p []byte, off int64) (int, error) {
	to := min(off+int64(len(p)), s.end)
	for s.at < to {
		if err := s.look(); err != nil {
			return 0, err
		}
	}
	n, err := s.media.ReadAt(p[:max(0, to-off)], off)
	if n < len(p) && err == nil {
		err = io.EOF
	}
	for _, change := range s.patches {
		from := change.at - off
		for i, b := range change.time {
			if at := from + int64(i); at >= 0 && at < int64(n) {
				p[at] = b
			}
		}
	}
	return n, err
}

// look reads the header of the next box, and the beginning of it if it describes a
// fragment.
func (s *shifted) look() error {
	var head [moofHead]byte
	n, err := s.media.ReadAt(head[:min(moofHead, s.end-s.at)], s.at)
	if n < boxHeader {
		return errors.Join(fmt.Errorf("no box at %d", s.at), err, fmp4.ErrMalformed)
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size < boxHeader || size > s.end-s.at {
		return fmt.Errorf("a box of %d bytes at %d: %w", size, s.at, fmp4.ErrMalformed)
	}
	if string(head[4:8]) == "moof" {
		at, shown, err := s.shiftOf(head[:min(int64(n), size)])
		if err != nil {
			return fmt.Errorf("the fragment at %d: %w", s.at, err)
		}
		change := patch{at: s.at + int64(at)}
		binary.BigEndian.PutUint64(change.time[:], shown)
		s.patches = append(s.patches, change)
	}
	s.at += size
	return nil
}

// shiftOf finds the decoding time in the beginning of a moof, and what is to be shown
// in its place.
func (s *shifted) shiftOf(moof []byte) (at int, shown uint64, err error) {
	track := uint32(0)
	for at = boxHeader; at+boxHeader <= len(moof); {
		size := int(binary.BigEndian.Uint32(moof[at:]))
		kind := string(moof[at+4 : at+8])
		switch {
		case kind == "traf": // what follows is inside it
			at += boxHeader
			continue
		case size < boxHeader || size > len(moof)-at:
			return 0, 0, fmt.Errorf("a box %q of %d bytes: %w", kind, size, fmp4.ErrMalformed)
		case kind == "tfhd" && size >= 16:
			track = binary.BigEndian.Uint32(moof[at+12:])
		case kind == "tfdt" && size == 20 && moof[at+8] == 1:
			if track >= uint32(len(s.clocks)) || s.clocks[track] == 0 {
				return 0, 0, fmt.Errorf("a track %d: %w", track, fmp4.ErrMalformed)
			}
			time := binary.BigEndian.Uint64(moof[at+12:])
			return at + 12, time + uint64(ticks(s.shift, s.clocks[track])), nil
		}
		at += size
	}
	return 0, 0, fmt.Errorf("no decoding time: %w", fmp4.ErrMalformed)
}

// ticks returns a duration in ticks of a clock, rounded down.
func ticks(d time.Duration, clock int64) int64 {
	return int64(d/time.Second)*clock + int64(d%time.Second)*clock/int64(time.Second)
}
