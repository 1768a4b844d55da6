package fmp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// Muxer makes the bytes of one segment. Not safe for concurrent use.
type Muxer struct {
	// Constant after construction.
	init       []byte
	format     recordings.Format
	tag        uint32
	order      reordering
	audioClock int // 0 without sound
	ticks      frameTicks

	state state

	// Scratch of AppendFragment, kept to be used again.
	decode, placed      []int64
	video, audio        []sample
	videoUnits, audible []*codecs.Unit
}

// state is what a fragment leaves to the next.
type state struct {
	sequence uint32
	// begin is where the fragment began, end where it ended and the next one begins.
	begin, end recordings.Time
	// video is the PTS of media time 0, audio that of sound.
	videoBase, audioBase int64
	// held are the highest PTS so far, less videoBase, in order: as many as pictures
	// may be shown after later ones. They become the next decoding times.
	held [maxReorder]int64
	// videoEnd is the lowest decoding time that is free, videoTick the distance of
	// the last two pictures.
	videoEnd, videoTick int64
	// audioShift is what the place of a frame of sound is later than its PTS says.
	audioShift int64
	// audioEnd is the lowest time free for sound; sound has begun.
	audioEnd int64
	sound    bool
}

// NewMuxer returns the muxer of a segment. The video track has to have its
// parameter sets. Without sound, audio is nil; sound that MP4 cannot hold is left
// out, which Format().Audio tells.
func NewMuxer(h Header, video codecs.Track, audio *codecs.Track) (*Muxer, error) {
	m := &Muxer{tag: h.tag(), state: state{end: h.Start}}
	entry, order, err := videoEntry(video, &m.format)
	if err != nil {
		return nil, fmt.Errorf("begin a segment of %v: %w", h.Stream, err)
	}
	m.format.Signed = h.Signed
	title, writer := cut(h.CameraName, maxName), cut(h.Writer, maxWriter)
	movie := Movie{Start: h.Start, Title: title, Writer: writer, Tracks: []MovieTrack{{
		Video: true, Clock: VideoClock, Width: m.format.Width, Height: m.format.Height, Delay: order.delay(), Entries: [][]byte{entry},
	}}}
	m.order = order
	if audio != nil {
		entry, err := audioEntry(*audio, &m.format)
		if err != nil {
			return nil, fmt.Errorf("begin a segment of %v: %w", h.Stream, err)
		}
		if entry != nil {
			m.audioClock, m.ticks = audio.ClockRate, newFrameTicks(*audio)
			movie.Tracks = append(movie.Tracks, MovieTrack{Clock: uint32(audio.ClockRate), Entries: [][]byte{entry}})
		}
	}
	if m.init, err = segmentInit(h, movie); err != nil {
		return nil, fmt.Errorf("begin a segment of %v: %w", h.Stream, err)
	}
	return m, nil
}

// segmentInit returns what a segment begins with.
func segmentInit(h Header, movie Movie) ([]byte, error) {
	b, err := AppendType(nil)
	if err != nil {
		return nil, err
	}
	sumAt := len(b) + boxHeader + uuidBytes + 4
	if b, err = h.appendHeader(b); err != nil {
		return nil, err
	}
	if b, err = AppendMovie(b, movie); err != nil {
		return nil, err
	}
	if len(b) > MaxInitBytes {
		return nil, fmt.Errorf("its beginning has %d bytes, more than %d", len(b), MaxInitBytes)
	}
	binary.BigEndian.PutUint32(b[sumAt:], crc32.Checksum(b, castagnoli()))
	return b, nil
}

// Init returns what the file begins with, before the first fragment. It must not
// be changed.
func (m *Muxer) Init() []byte { return m.init }

// Format returns how the segment's streams are coded.
func (m *Muxer) Format() recordings.Format { return m.format }

// AppendFragment appends the boxes of the next fragment to dst and describes it;
// its Offset is 0. Nothing of the units is kept.
//
// video are units in decoding order, at least one. audio are those captured in
// the same time, in order; units from before the segment began are left out, and
// so are empty ones. end is when the next fragment begins: At of the next unit; 0,
// only for the last fragment of a segment, makes a guess of it. A fragment begins
// where the one before ended, the first one at the segment's Start; if that is after
// end, by less than a second, it lasts a millisecond.
//
// An error leaves dst and the muxer as they were. It wraps ErrDiscontinuity if the
// units belong into a new segment.
func (m *Muxer) AppendFragment(dst []byte, video, audio []*codecs.Unit, end recordings.Time) ([]byte, recordings.Fragment, error) {
	defer m.forget()
	next := m.state
	f, err := m.layOut(&next, video, audio, end)
	if err != nil {
		return dst, recordings.Fragment{}, fmt.Errorf("write a fragment: %w", err)
	}
	at := len(dst)
	dst = slices.Grow(dst, m.bound())
	dst = append(dst, make([]byte, CheckBytes)...)
	first := firstShown(video)
	dst = appendReference(dst, first.At, max(first.PTS-next.videoBase+m.order.delay(), 0))
	dst = m.appendVideo(dst, &next)
	f.VideoBytes = int64(len(dst) - at)
	if len(m.audio) > 0 {
		dst = m.appendAudio(dst, &next)
	}
	f.Bytes = int64(len(dst) - at)
	if f.Bytes > MaxFragmentBytes {
		return dst[:at], recordings.Fragment{}, fmt.Errorf("write a fragment: %d bytes, more than %d; end it earlier", f.Bytes, MaxFragmentBytes)
	}
	c := check{fragment: f, tag: m.tag, sequence: next.sequence, audioFrames: uint32(len(m.audio))}
	c.put(dst[at:])
	m.state = next
	return dst, f, nil
}

// layOut decides on all times and sizes.
func (m *Muxer) layOut(s *state, video, audio []*codecs.Unit, end recordings.Time) (f recordings.Fragment, err error) {
	if len(video) == 0 {
		return f, errors.New("it has no picture")
	}
	if len(video) > maxSamples || len(audio) > maxSamples {
		return f, fmt.Errorf("%d pictures and %d frames of sound; it holds %d of each", len(video), len(audio), maxSamples)
	}
	s.sequence++
	if err := m.layVideo(s, video, end); err != nil {
		return f, err
	}
	m.videoUnits = append(m.videoUnits, video...)
	f.Start, f.Key, f.Frames = s.begin, video[0].Key, len(video)
	f.Duration, f.MediaStart = s.end.Sub(f.Start), max(firstShown(video).PTS-s.videoBase, 0)
	if m.audioClock > 0 {
		if err := m.layAudio(s, audio, video); err != nil {
			return f, err
		}
	}
	return f, nil
}

// firstShown returns the unit with the lowest PTS.
func firstShown(units []*codecs.Unit) *codecs.Unit {
	first := units[0]
	for _, u := range units {
		if u.PTS < first.PTS {
			first = u
		}
	}
	return first
}

// forget lets go of the units.
func (m *Muxer) forget() {
	clear(m.videoUnits)
	clear(m.audible)
	m.videoUnits, m.audible = m.videoUnits[:0], m.audible[:0]
	m.video, m.audio = m.video[:0], m.audio[:0]
}

// bound returns at least as many bytes as the fragment laid out will have.
func (m *Muxer) bound() int {
	n := CheckBytes + 2*moofBytes + (len(m.video)+len(m.audio))*(sampleBytes+timesPerFrame)
	for _, list := range [2][]sample{m.video, m.audio} {
		for _, s := range list {
			n += int(s.size)
		}
	}
	return n
}

// appendReference appends a prft box (ISO/IEC 14496-12 §8.16.5), which says when
// the picture at a media time was captured.
func appendReference(dst []byte, us, media int64) []byte {
	const captured = 24
	dst, at := openBox(dst, "prft")
	dst = binary.BigEndian.AppendUint32(dst, 1<<24|captured)
	dst = binary.BigEndian.AppendUint32(dst, videoTrack)
	dst = binary.BigEndian.AppendUint64(dst, ntp(us))
	dst = binary.BigEndian.AppendUint64(dst, uint64(media))
	closeBox(dst, at)
	return dst
}

// appendVideo appends moof and mdat of the pictures.
func (m *Muxer) appendVideo(dst []byte, s *state) []byte {
	box := moof{
		sequence: 2*s.sequence - 1, track: videoTrack, time: m.decode[0], clock: VideoClock, samples: m.video,
		times: times{units: m.videoUnits},
	}
	dst, at := openBox(box.append(dst), "mdat")
	for _, u := range m.videoUnits {
		for _, n := range u.Payload {
			dst = binary.BigEndian.AppendUint32(dst, uint32(len(n)))
			dst = append(dst, n...)
		}
	}
	closeBox(dst, at)
	return dst
}

// appendAudio appends moof and mdat of the sound.
func (m *Muxer) appendAudio(dst []byte, s *state) []byte {
	box := moof{
		sequence: 2 * s.sequence, track: audioTrack, time: m.placed[0], clock: m.audioClock, samples: m.audio,
		times: times{units: m.audible, base: s.audioBase, placed: m.placed},
	}
	dst, at := openBox(box.append(dst), "mdat")
	for _, u := range m.audible {
		for _, p := range u.Payload {
			dst = append(dst, p...)
		}
	}
	closeBox(dst, at)
	return dst
}
