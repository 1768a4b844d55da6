package fmp4

import (
	"encoding/binary"
	"fmt"

	"github.com/sightline-cam/sightline/codecs"
)

// The indexes of the tracks in units, as in a camera's track list.
const (
	videoIndex = 0
	audioIndex = 1
)

// Units returns what AppendFragment made the fragment of: NAL units, PTS and At are
// the same, PTS counted from the beginning of the segment. The payloads share
// memory with fragment. Checksums are not compared: Scan does that. The error wraps
// ErrMalformed.
func (f *File) Units(fragment []byte) (video, audio []*codecs.Unit, err error) {
	if len(fragment) > MaxFragmentBytes {
		return nil, nil, fmt.Errorf("read a fragment of %d bytes: %w", len(fragment), ErrMalformed)
	}
	for rest := fragment; len(rest) > 0; {
		kind, body, next, err := nextBox(rest)
		if err != nil {
			return nil, nil, fmt.Errorf("read a fragment: %w", err)
		}
		if kind == "moof" {
			after, err := f.unitsOf(len(rest)-len(next), body, next, &video, &audio)
			if err != nil {
				return nil, nil, fmt.Errorf("read a fragment: %w", err)
			}
			next = after
		}
		rest = next
	}
	if len(video) == 0 {
		return nil, nil, fmt.Errorf("read a fragment: it has no picture: %w", ErrMalformed)
	}
	return video, audio, nil
}

// unitsOf reads a moof of a size, and the mdat that has to follow it; it returns
// what is after that.
func (f *File) unitsOf(size int, moof, rest []byte, video, audio *[]*codecs.Unit) (after []byte, err error) {
	kind, media, after, err := nextBox(rest)
	if err != nil {
		return nil, err
	}
	if kind != "mdat" {
		return nil, fmt.Errorf("box %s between moof and mdat: %w", kind, ErrMalformed)
	}
	frag, err := parseMoof(moof, len(media))
	if err != nil {
		return nil, err
	}
	if frag.dataOffset != size+boxHeader {
		return nil, fmt.Errorf("media %d bytes after the beginning of a moof of %d: %w", frag.dataOffset, size, ErrMalformed)
	}
	switch {
	case frag.track == videoTrack && *video == nil:
		*video, err = frag.units(media, videoIndex, VideoClock, f.Delay, nalUnits)
	case frag.track == audioTrack && *audio == nil && f.Audio != nil:
		*audio, err = frag.units(media, audioIndex, f.Audio.ClockRate, 0, wholeSample)
	default:
		err = fmt.Errorf("unexpected media of track %d: %w", frag.track, ErrMalformed)
	}
	return after, err
}

// parsedMoof is what a moof box says, as far as it is read again.
type parsedMoof struct {
	track      uint32
	time       int64
	dataOffset int
	samples    []sample
	times      []byte
	// Where its fields are, counted from the moof's content; see Edit.
	sequenceAt, trackAt, timeAt int
}

// parseMoof reads the content of a moof box as this package writes it. The samples
// fill exactly mediaBytes.
func parseMoof(b []byte, mediaBytes int) (p parsedMoof, err error) {
	mfhd, err := child(b, "mfhd")
	if err != nil {
		return p, err
	}
	traf, err := child(b, "traf")
	if err != nil {
		return p, err
	}
	tfhd, err := child(traf, "tfhd")
	if err != nil {
		return p, err
	}
	tfdt, err := child(traf, "tfdt")
	if err != nil {
		return p, err
	}
	trun, err := child(traf, "trun")
	if err != nil {
		return p, err
	}
	own, err := child(traf, "uuid")
	if err != nil {
		return p, err
	}
	if len(mfhd) != 8 || len(tfhd) != 24 || len(tfdt) != 12 || !isOwn(own, timesUUID) ||
		binary.BigEndian.Uint32(tfhd) != tfhdAll || binary.BigEndian.Uint32(tfdt) != 1<<24 {
		return p, fmt.Errorf("a moof that this program does not write: %w", ErrMalformed)
	}
	p.track = binary.BigEndian.Uint32(tfhd[4:])
	p.time = int64(binary.BigEndian.Uint64(tfdt[4:]))
	p.times = own[uuidBytes:]
	p.sequenceAt, p.trackAt, p.timeAt = offsetIn(b, mfhd)+4, offsetIn(b, tfhd)+4, offsetIn(b, tfdt)+4
	if p.time < 0 || p.time > maxTicks {
		return p, fmt.Errorf("a moof at %d ticks: %w", p.time, ErrMalformed)
	}
	return p, p.parseRun(trun, tfhd[12:], mediaBytes)
}

// offsetIn returns where part, a slice of whole, begins in it.
func offsetIn(whole, part []byte) int { return cap(whole) - cap(part) }

// parseRun reads the content of a trun box; defaults are duration, size and flags
// of samples.
func (p *parsedMoof) parseRun(b, defaults []byte, mediaBytes int) error {
	const fixed = 12
	const known = trunDataOffset | trunFirstFlags | trunDuration | trunSize | trunFlags | trunOffset
	be := binary.BigEndian
	if len(b) < fixed || b[0] != 1 {
		return fmt.Errorf("trun of %d bytes: %w", len(b), ErrMalformed)
	}
	flags, count := be.Uint32(b)&0xffffff, be.Uint32(b[4:])
	p.dataOffset = int(be.Uint32(b[8:]))
	b = b[fixed:]
	common := sample{duration: be.Uint32(defaults), size: be.Uint32(defaults[4:]), flags: be.Uint32(defaults[8:])}
	firstFlags := common.flags
	if flags&trunFirstFlags != 0 {
		if len(b) < 4 {
			return fmt.Errorf("trun is cut off: %w", ErrMalformed)
		}
		firstFlags, b = be.Uint32(b), b[4:]
	}
	width := 0
	for _, f := range []uint32{trunDuration, trunSize, trunFlags, trunOffset} {
		if flags&f != 0 {
			width += 4
		}
	}
	if flags&^known != 0 || flags&trunDataOffset == 0 || count < 1 || count > maxSamples || len(b) != int(count)*width ||
		int64(count) > int64(len(p.times)) {
		return fmt.Errorf("trun of %d samples with flags %#x: %w", count, flags, ErrMalformed)
	}
	p.samples = make([]sample, count)
	total := int64(0)
	for i := range p.samples {
		s := common
		if i == 0 {
			s.flags = firstFlags
		}
		b = s.parse(b, flags)
		p.samples[i] = s
		total += int64(s.size)
	}
	if total != int64(mediaBytes) {
		return fmt.Errorf("samples of %d bytes in an mdat of %d: %w", total, mediaBytes, ErrMalformed)
	}
	return nil
}

// parse reads the fields of a sample that are there.
func (s *sample) parse(b []byte, flags uint32) (rest []byte) {
	next := func() (v uint32) {
		v, b = binary.BigEndian.Uint32(b), b[4:]
		return v
	}
	if flags&trunDuration != 0 {
		s.duration = next()
	}
	if flags&trunSize != 0 {
		s.size = next()
	}
	if flags&trunFlags != 0 {
		s.flags = next()
	}
	if flags&trunOffset != 0 {
		s.offset = int32(next())
	}
	return b
}

// units makes units of the samples. delay is that of the track.
func (p *parsedMoof) units(media []byte, track, clock int, delay int64, split func([]byte) ([][]byte, error)) ([]*codecs.Unit, error) {
	all := make([]codecs.Unit, len(p.samples))
	units := make([]*codecs.Unit, len(p.samples))
	at := p.time
	for i, s := range p.samples {
		payload, err := split(media[:s.size:s.size])
		if err != nil {
			return nil, err
		}
		all[i] = codecs.Unit{
			Track:       track,
			PTS:         at + int64(s.offset) - delay,
			Key:         s.flags&flagNonSync == 0,
			Discardable: s.flags&flagDisposable != 0,
			Payload:     payload,
		}
		units[i] = &all[i]
		media = media[s.size:]
		at += int64(s.duration)
	}
	if err := parseTimes(p.times, units, clock); err != nil {
		return nil, err
	}
	return units, nil
}

// maxNALUnits is how many NAL units a picture has at most.
const maxNALUnits = 1 << 14

// nalUnits splits a sample of video, empty NAL units included.
func nalUnits(b []byte) ([][]byte, error) {
	n := 0
	for rest := b; len(rest) > 0; n++ {
		if len(rest) < nalLength || int64(binary.BigEndian.Uint32(rest)) > int64(len(rest)-nalLength) || n == maxNALUnits {
			return nil, fmt.Errorf("a picture of %d bytes is no list of NAL units: %w", len(b), ErrMalformed)
		}
		rest = rest[nalLength+binary.BigEndian.Uint32(rest):]
	}
	units := make([][]byte, 0, n)
	for len(b) > 0 {
		end := nalLength + int(binary.BigEndian.Uint32(b))
		units = append(units, b[nalLength:end:end])
		b = b[end:]
	}
	return units, nil
}

// wholeSample is the payload of sound.
func wholeSample(b []byte) ([][]byte, error) { return [][]byte{b}, nil }
