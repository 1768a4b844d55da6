package fmp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// Limits of what is read.
const (
	// MaxInitBytes is the largest beginning of a segment.
	MaxInitBytes = 1 << 20
	// MaxFragmentBytes is the largest fragment.
	MaxFragmentBytes = 256 << 20
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
	// VideoEntry and AudioEntry are the tracks' sample entries, whole boxes;
	// AudioEntry is nil without sound.
	VideoEntry, AudioEntry []byte
	// Delay is the media time of video at which the presentation begins.
	Delay int64
	// Damaged says that what stands before the first fragment does not match its
	// checksum, readable as it is.
	Damaged bool

	r    io.ReaderAt
	size int64
}

// Open reads the beginning of a segment, at most MaxInitBytes. size is that of the
// whole file; fragments beyond it are not read. The error wraps ErrMalformed, or is
// the reader's.
func Open(r io.ReaderAt, size int64) (*File, error) {
	init, err := readInit(r, size)
	if err != nil {
		return nil, fmt.Errorf("open a segment: %w", err)
	}
	f := &File{InitBytes: int64(len(init)), r: r, size: size}
	if err := f.parseInit(init); err != nil {
		return nil, fmt.Errorf("open a segment: %w", err)
	}
	return f, nil
}

// readInit returns the boxes ftyp, uuid and moov.
func readInit(r io.ReaderAt, size int64) (init []byte, err error) {
	for _, want := range []string{"ftyp", "uuid", "moov"} {
		var header [boxHeader]byte
		at := int64(len(init))
		if size-at < boxHeader {
			return nil, fmt.Errorf("%d bytes end before box %s: %w", size, want, ErrMalformed)
		}
		if err := readFull(r, header[:], at); err != nil {
			return nil, err
		}
		n := int64(binary.BigEndian.Uint32(header[:]))
		if string(header[4:]) != want || n < boxHeader || at+n > min(size, MaxInitBytes) {
			return nil, fmt.Errorf("box %q of %d bytes at %d, where %s should be: %w", header[4:], n, at, want, ErrMalformed)
		}
		init = append(init, make([]byte, n)...)
		if err := readFull(r, init[at:], at); err != nil {
			return nil, err
		}
	}
	return init, nil
}

// readFull fills b. A file that is shorter than its size said is malformed.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("the file ends at %d: %w", at+int64(n), ErrMalformed)
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), at, err)
}

// parseInit reads what stands before the fragments.
func (f *File) parseInit(init []byte) error {
	_, _, rest, err := nextBox(init)
	if err != nil {
		return err
	}
	_, body, moov, err := nextBox(rest)
	if err != nil {
		return err
	}
	if !isOwn(body, headerUUID) {
		return fmt.Errorf("it was not made by this program: %w", ErrMalformed)
	}
	var sum uint32
	if f.Header, sum, err = parseHeader(body); err != nil {
		return err
	}
	f.Damaged = initSum(init, len(init)-len(rest)+boxHeader+uuidBytes+4) != sum
	f.Format.Signed = f.Signed
	return f.parseMovie(moov[boxHeader:])
}

// initSum is the checksum of init with the four bytes at an offset counted as 0.
func initSum(init []byte, at int) uint32 {
	var zero [4]byte
	sum := crc32.Update(0, castagnoli(), init[:at])
	sum = crc32.Update(sum, castagnoli(), zero[:])
	return crc32.Update(sum, castagnoli(), init[at+len(zero):])
}

// parseMovie reads the content of the moov box.
func (f *File) parseMovie(moov []byte) error {
	for rest := moov; len(rest) > 0; {
		kind, body, next, err := nextBox(rest)
		if err != nil {
			return err
		}
		if kind == "trak" {
			if err := f.parseTrack(body); err != nil {
				return err
			}
		}
		rest = next
	}
	if f.VideoEntry == nil {
		return fmt.Errorf("it has no video: %w", ErrMalformed)
	}
	return nil
}

// parseTrack reads the content of a trak box.
func (f *File) parseTrack(trak []byte) error {
	mdhd, err := child(trak, "mdia", "mdhd")
	if err != nil {
		return err
	}
	stsd, err := child(trak, "mdia", "minf", "stbl", "stsd")
	if err != nil {
		return err
	}
	const clockAt, stsdFixed = 12, 8
	if len(mdhd) < clockAt+4 || mdhd[0] != 0 || len(stsd) < stsdFixed {
		return fmt.Errorf("a track's description is cut off: %w", ErrMalformed)
	}
	clock := binary.BigEndian.Uint32(mdhd[clockAt:])
	entry := stsd[stsdFixed:]
	kind, body, rest, err := nextBox(entry)
	if err != nil {
		return err
	}
	entry = append([]byte(nil), entry[:len(entry)-len(rest)]...)
	switch id, err := trackID(trak); {
	case err != nil:
		return err
	case id == videoTrack && f.VideoEntry == nil && clock == VideoClock:
		f.VideoEntry = entry
		if f.Video, err = parseVideoEntry(kind, body, &f.Format); err == nil {
			f.Delay, err = parseDelay(trak)
		}
		return err
	case id == audioTrack && f.AudioEntry == nil:
		t, err := parseAudioEntry(kind, body, clock, &f.Format)
		f.AudioEntry, f.Audio = entry, &t
		return err
	default:
		return fmt.Errorf("track %d with a clock of %d Hz: %w", id, clock, ErrMalformed)
	}
}

// trackID returns the number of a track (ISO/IEC 14496-12 §8.3.2).
func trackID(trak []byte) (uint32, error) {
	tkhd, err := child(trak, "tkhd")
	if err != nil {
		return 0, err
	}
	const at = 12
	if len(tkhd) < at+4 || tkhd[0] != 0 {
		return 0, fmt.Errorf("tkhd of %d bytes: %w", len(tkhd), ErrMalformed)
	}
	return binary.BigEndian.Uint32(tkhd[at:]), nil
}

// parseDelay reads the edit list of a track, if there is one (§8.6.6).
func parseDelay(trak []byte) (int64, error) {
	elst, err := child(trak, "edts", "elst")
	if err != nil {
		return 0, nil //nolint:nilerr // most have none
	}
	const one, mediaAt = 20, 12
	if len(elst) != one || elst[0] != 0 || binary.BigEndian.Uint32(elst[4:]) != 1 {
		return 0, fmt.Errorf("an edit list of %d bytes: %w", len(elst), ErrMalformed)
	}
	delay := int64(int32(binary.BigEndian.Uint32(elst[mediaAt:])))
	if delay < 0 || delay > maxDelay {
		return 0, fmt.Errorf("an edit list that begins at %d: %w", delay, ErrMalformed)
	}
	return delay, nil
}

// maxDelay is far above what 16 pictures last.
const maxDelay = 60 * VideoClock
