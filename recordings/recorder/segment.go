package recorder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

const (
	// retryEvery is how often a new segment is tried while the store takes none.
	retryEvery = time.Second
	// pictureSets is how old a segment is at least that ends because only picture
	// parameter sets changed: there are cameras that change them all the time.
	pictureSets = 10 * time.Second
	// offsetShown is the least difference to the clock that is worth mentioning.
	offsetShown = 100 * time.Millisecond
)

// muxer makes the bytes of a segment. *fmp4.Muxer is one.
type muxer interface {
	Init() []byte
	Format() recordings.Format
	AppendFragment(dst []byte, video, audio []*codecs.Unit, end recordings.Time) ([]byte, recordings.Fragment, error)
}

type muxerMaker func(h fmp4.Header, video codecs.Track, audio *codecs.Track) (muxer, error)

func newMuxer(h fmp4.Header, video codecs.Track, audio *codecs.Track) (muxer, error) {
	return fmp4.NewMuxer(h, video, audio)
}

// coding is what all units of a segment have in common.
type coding struct {
	video, audio    codecs.Codec
	clock, channels int
	config          string
}

func codingOf(video codecs.Track, audio *codecs.Track) coding {
	c := coding{video: video.Codec}
	if audio != nil {
		c.audio, c.clock, c.channels, c.config = audio.Codec, audio.ClockRate, audio.Channels, string(audio.AudioConfig)
	}
	return c
}

// segment is the one that is being written.
type segment struct {
	// Constant after begin.
	ref    recordings.Ref
	mux    muxer
	writer recordings.Writer
	coding coding
	sound  bool // it has any
	// sets are the parameter sets that it began with, pictures those of pictures.
	sets, pictures [][]byte

	offset int64 // of the next fragment
	empty  bool  // there is no fragment yet
}

// parametersChanged reports whether a key frame cannot be in this segment because of
// its parameter sets.
func (s *segment) parametersChanged(u *codecs.Unit) bool {
	sets, pictures := parameterSets(s.coding.video, u.Payload)
	if len(sets) > 0 && !equal(sets, s.sets) {
		return true
	}
	return len(pictures) > 0 && !equal(pictures, s.pictures) && recordings.Time(u.At).Sub(s.ref.Start) >= pictureSets
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// parameterSets returns those that a key frame begins with.
func parameterSets(c codecs.Codec, nals [][]byte) (sets, pictures [][]byte) {
	for _, n := range nals {
		if len(n) < 2 {
			continue
		}
		if c == codecs.H265 {
			switch h265.TypeOf(n) {
			case h265.VPS, h265.SPS:
				sets = append(sets, n)
			case h265.PPS:
				pictures = append(pictures, n)
			default:
			}
			continue
		}
		switch h264.TypeOf(n) {
		case h264.SPS:
			sets = append(sets, n)
		case h264.PPS:
			pictures = append(pictures, n)
		default:
		}
	}
	return sets, pictures
}

// signed reports whether there is a message of ONVIF media signing in the units.
func signed(c codecs.Codec, units []*codecs.Unit) bool {
	id := mediasign.UUID()
	for _, u := range units {
		for _, n := range u.Payload {
			sei := len(n) > 2 && (c == codecs.H264 && h264.TypeOf(n) == h264.SEI ||
				c == codecs.H265 && (h265.TypeOf(n) == h265.PrefixSEI || h265.TypeOf(n) == h265.SuffixSEI))
			if sei && bytes.Contains(n, id[2:]) { // the first two may be split by emulation prevention
				return true
			}
		}
	}
	return false
}

// withSets returns the track with the parameter sets of a key frame, if it has any.
func withSets(t codecs.Track, sets, pictures [][]byte) codecs.Track {
	for _, n := range sets {
		if t.Codec == codecs.H265 && h265.TypeOf(n) == h265.VPS {
			t.VPS = n
		} else {
			t.SPS = n
		}
	}
	if len(pictures) > 0 {
		t.PPS = pictures[0]
	}
	return t
}

// begin begins a segment with the units, if they begin with a key frame. Without an
// error and without a segment there is nothing to do but wait for one.
func (t *Tape) begin(ctx context.Context, units []*codecs.Unit) error {
	if !units[0].Key {
		return nil
	}
	if time.Now().Before(t.retry) {
		return t.failure
	}
	start := t.startOf(units)
	s := &segment{coding: codingOf(t.video, t.audio), empty: true}
	s.ref = recordings.Ref{Stream: t.opts.Stream, Generation: t.generation, Start: start}
	s.sets, s.pictures = parameterSets(t.video.Codec, units[0].Payload)
	t.signed = t.signed || signed(t.video.Codec, units)
	before, gaps := t.gap.list(t.opts.Stream, t.end, start)
	h := fmp4.Header{
		Ref: s.ref, Origin: t.opts.Origin, Before: before, Gaps: gaps, ClockOffset: t.clockOffset(units),
		CameraName: t.opts.CameraName, Writer: t.opts.Writer, Signed: t.signed,
	}
	if err := t.open(ctx, s, h); err != nil {
		t.fail(err)
		return err
	}
	t.segment, t.failure = s, nil
	t.gap.clear()
	t.counts.Segments++
	t.counts.Bytes += uint64(s.offset)
	if n := len(t.sound.until(start)); n > 0 {
		t.sound.drop(n) // nobody will see the picture
	}
	return nil
}

// startOf returns when a segment with the units starts, and begins a generation if
// they overlap what was written before.
func (t *Tape) startOf(units []*codecs.Unit) recordings.Time {
	start := earliest(units)
	if t.tail.known && start > t.tail.at && start.Sub(t.end).Abs() <= max(time.Second, 2*t.tail.usual) {
		// The end was a guess.
		if start < t.end || len(t.gap.notes) == 0 {
			return t.end
		}
	}
	if t.end != 0 && start < t.end {
		t.opts.Logger.Warn("the times of a recording begin anew", "stream", t.opts.Stream.String(),
			"from", t.end.String(), "to", start.String(), "generation", t.generation+1)
		t.generation++
		t.end = 0
		t.gap.clear()
	}
	return start
}

// open makes the file.
func (t *Tape) open(ctx context.Context, s *segment, h fmp4.Header) (err error) {
	video := withSets(t.video, s.sets, s.pictures)
	s.mux, err = t.opts.muxers(h, video, t.audio)
	if err != nil && t.audio != nil { // sound never stops the video
		s.mux, err = t.opts.muxers(h, video, nil)
	}
	if err != nil {
		return fmt.Errorf("the video of the camera cannot be put into a file: %w", err)
	}
	format := s.mux.Format()
	s.sound = format.Audio != ""
	init := s.mux.Init()
	s.offset = int64(len(init))
	s.writer, err = t.opts.Store.Create(ctx, recordings.Segment{
		Ref: h.Ref, Format: format, Origin: h.Origin, Before: h.Before, Gaps: h.Gaps, ClockOffset: h.ClockOffset,
	}, init)
	return err
}

// append writes a fragment. It is not counted as lost if that fails.
func (t *Tape) append(units []*codecs.Unit, end recordings.Time) error {
	s := t.segment
	var sound []*codecs.Unit
	if s.sound {
		sound = t.sound.until(end)
	}
	data, f, err := s.mux.AppendFragment(t.opts.buffers.get(), units, sound, end)
	if err != nil && len(sound) > 0 && !errors.Is(err, fmp4.ErrDiscontinuity) {
		t.sound.drop(len(sound))
		sound = nil
		data, f, err = s.mux.AppendFragment(data[:0], units, nil, end)
	}
	defer func() { t.opts.buffers.put(data) }()
	if err != nil {
		return err
	}
	f.Offset = s.offset
	if err := s.writer.Append(f, data); err != nil {
		return err
	}
	t.sound.drop(len(sound))
	s.offset += f.Bytes
	s.empty = false
	t.signed = t.signed || signed(s.coding.video, units)
	t.tail = t.tail.after(units)
	t.end = max(t.end, f.End())
	t.counts.Frames += uint64(len(units))
	t.counts.Bytes += uint64(f.Bytes)
	return nil
}

// finish ends the segment, if there is one.
func (t *Tape) finish() error {
	s := t.segment
	if s == nil {
		return nil
	}
	t.segment = nil
	return s.writer.Close()
}

// fail ends the segment because of an error, which is the cause of the gap that
// follows.
func (t *Tape) fail(err error) {
	_ = t.finish() // whatever it says, err was first
	if errors.Is(err, fmp4.ErrDiscontinuity) {
		t.gap.note(recordings.FramesLost, 0)
		return
	}
	t.gap.note(t.opts.CauseOf(err), 0)
	t.failure, t.retry = err, time.Now().Add(retryEvery)
}

// clockOffset returns how far the units are ahead of the clock, if that is more than
// how long they took.
func (t *Tape) clockOffset(units []*codecs.Unit) time.Duration {
	if t.opts.Origin != recordings.Live {
		return 0
	}
	ahead := time.Duration(0)
	for _, u := range units {
		if !u.Arrived.IsZero() {
			ahead = max(ahead, recordings.Time(u.At).Sub(recordings.TimeOf(u.Arrived)))
		}
	}
	if ahead < offsetShown {
		return 0
	}
	return ahead
}

// causeOf is the default of TapeOptions.CauseOf.
func causeOf(err error) recordings.Cause {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return recordings.DiskFull
	}
	return recordings.DiskFailed
}
