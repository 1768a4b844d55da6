package fmp4

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/sightline-cam/sightline/recordings"
)

// CheckBytes is the size of the box that every fragment begins with: what is in it
// concerns the file it was written to alone, and an export leaves it out.
const CheckBytes = 88

// The fields of the box, after its header and name.
const (
	checkVersion    = 24 // 1 byte
	checkFlags      = 25 // 1 byte
	checkTag        = 28
	checkSequence   = 32
	checkFrames     = 36
	checkStart      = 40 // 8 bytes, µs since 1970
	checkDuration   = 48 // 8 bytes, µs
	checkMedia      = 56 // 8 bytes, ticks of VideoClock
	checkAudio      = 64 // number of audio frames
	checkTotal      = 68 // bytes of the fragment, the box included
	checkVideoBytes = 72 // of these, up to the end of the video
	checkBody       = 80 // CRC-32C over all that follows the box
	checkSelf       = 84 // CRC-32C over the box up to here
)

// checkFormat is the version of the box.
const checkFormat = 1

// flagKey says that the fragment begins with a key frame.
const flagKey = 1

// check is what the box in front of a fragment says.
type check struct {
	fragment recordings.Fragment // without Offset
	// tag is that of the segment it was written to, sequence counts its fragments
	// from 1 on.
	tag, sequence uint32
	audioFrames   uint32
	body          uint32 // checksum
}

// put writes the box over the first CheckBytes of a fragment that is otherwise
// finished.
func (c *check) put(b []byte) {
	f := &c.fragment
	clear(b[:CheckBytes])
	binary.BigEndian.PutUint32(b, CheckBytes)
	copy(b[4:], "uuid"+checkUUID)
	b[checkVersion] = checkFormat
	if f.Key {
		b[checkFlags] = flagKey
	}
	binary.BigEndian.PutUint32(b[checkTag:], c.tag)
	binary.BigEndian.PutUint32(b[checkSequence:], c.sequence)
	binary.BigEndian.PutUint32(b[checkFrames:], uint32(f.Frames))
	binary.BigEndian.PutUint64(b[checkStart:], uint64(f.Start))
	binary.BigEndian.PutUint64(b[checkDuration:], uint64(f.Duration.Microseconds()))
	binary.BigEndian.PutUint64(b[checkMedia:], uint64(f.MediaStart))
	binary.BigEndian.PutUint32(b[checkAudio:], c.audioFrames)
	binary.BigEndian.PutUint32(b[checkTotal:], uint32(f.Bytes))
	binary.BigEndian.PutUint32(b[checkVideoBytes:], uint32(f.VideoBytes))
	binary.BigEndian.PutUint32(b[checkBody:], crc32.Checksum(b[CheckBytes:f.Bytes], castagnoli()))
	binary.BigEndian.PutUint32(b[checkSelf:], crc32.Checksum(b[:checkSelf], castagnoli()))
}

// parseCheck reads the box at the beginning of b. The error wraps ErrMalformed.
func parseCheck(b []byte) (c check, err error) {
	if len(b) < CheckBytes || binary.BigEndian.Uint32(b) != CheckBytes ||
		string(b[4:8]) != "uuid" || !isOwn(b[8:], checkUUID) {
		return c, fmt.Errorf("no check: %w", ErrMalformed)
	}
	if sum := crc32.Checksum(b[:checkSelf], castagnoli()); sum != binary.BigEndian.Uint32(b[checkSelf:]) {
		return c, fmt.Errorf("a damaged check: %w", ErrMalformed)
	}
	if v := b[checkVersion]; v != checkFormat {
		return c, fmt.Errorf("a check of version %d; this program reads version %d: %w", v, checkFormat, ErrMalformed)
	}
	duration := binary.BigEndian.Uint64(b[checkDuration:])
	c.fragment = recordings.Fragment{
		Start:      recordings.Time(binary.BigEndian.Uint64(b[checkStart:])),
		Duration:   micros(int64(duration)),
		MediaStart: int64(binary.BigEndian.Uint64(b[checkMedia:])),
		Bytes:      int64(binary.BigEndian.Uint32(b[checkTotal:])),
		VideoBytes: int64(binary.BigEndian.Uint32(b[checkVideoBytes:])),
		Key:        b[checkFlags]&flagKey != 0,
		Frames:     int(binary.BigEndian.Uint32(b[checkFrames:])),
	}
	c.tag = binary.BigEndian.Uint32(b[checkTag:])
	c.sequence = binary.BigEndian.Uint32(b[checkSequence:])
	c.audioFrames = binary.BigEndian.Uint32(b[checkAudio:])
	c.body = binary.BigEndian.Uint32(b[checkBody:])
	f := &c.fragment
	if f.VideoBytes < CheckBytes || f.Bytes < f.VideoBytes || f.Bytes > MaxFragmentBytes ||
		duration == 0 || duration > maxDuration || f.MediaStart < 0 || f.MediaStart > maxTicks ||
		f.Frames < 1 || f.Frames > maxSamples || c.audioFrames > maxSamples {
		return c, fmt.Errorf("a check that cannot be true: %w", ErrMalformed)
	}
	return c, nil
}
