package recorder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// TapeOptions configure a Tape. Stream and Store are required.
type TapeOptions struct {
	Stream recordings.Stream
	Store  Store
	// CameraName is what people call the camera. Default: its id.
	CameraName string
	// Origin is how the frames come here. Default recordings.Live.
	Origin recordings.Origin
	// Past is what there is of the stream already: what overlaps it gets a new
	// generation, and the first segment says why there is a gap before it. The zero
	// value for frames that fill a hole.
	Past Past
	// Signed says that the video is signed, where that is known before it comes;
	// the first signature says so, too.
	Signed bool
	// SegmentDuration is after how long a new segment begins, at the next key
	// frame. Default 5 minutes.
	SegmentDuration time.Duration
	// Writer names the program in the files. Default "sightline".
	Writer string
	// CauseOf says what an error of the store means. Default: DiskFull where it
	// wraps ENOSPC or EDQUOT, else DiskFailed.
	CauseOf func(error) recordings.Cause
	// Logger takes what happens to the times. Default: nothing.
	Logger *slog.Logger

	muxers  muxerMaker // default: fmp4's
	buffers *buffers   // default: of its own
}

func (o *TapeOptions) setDefaults() {
	if o.CameraName == "" {
		o.CameraName = o.Stream.Camera
	}
	if o.Origin == "" {
		o.Origin = recordings.Live
	}
	if o.SegmentDuration <= 0 {
		o.SegmentDuration = 5 * time.Minute
	}
	if o.Writer == "" {
		o.Writer = "sightline"
	}
	if o.CauseOf == nil {
		o.CauseOf = causeOf
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.muxers == nil {
		o.muxers = newMuxer
	}
	if o.buffers == nil {
		o.buffers = &buffers{}
	}
}

// Tape writes the frames of one stream into one segment after another. A segment
// ends at the first key frame after SegmentDuration, where codec, parameter sets
// or sound change, where the times step, at a Break, and when it cannot be
// written. Not safe for concurrent use.
type Tape struct {
	opts TapeOptions

	// How the units that come are coded.
	video codecs.Track
	audio *codecs.Track

	segment    *segment // nil: none is open
	generation int
	tail       tail            // of what was written last, in whatever segment
	end        recordings.Time // greatest of this generation; 0: nothing is there
	gap        gapLog
	sound      soundQueue
	signed     bool      // the camera signs its video
	failure    error     // why there is no segment,
	retry      time.Time // and when the next one is tried

	counts Counts
}

// Counts are what a Tape did so far.
type Counts struct {
	Segments, Frames, Bytes uint64
	// FramesLost came and were not written.
	FramesLost uint64
	// SoundLost are units of sound that came without pictures.
	SoundLost uint64
}

// NewTape returns a tape that has not written anything. It does no I/O.
func NewTape(o TapeOptions) *Tape {
	o.setDefaults()
	t := &Tape{opts: o, generation: o.Past.Generation, end: o.Past.End, signed: o.Signed}
	if t.end != 0 {
		cause := o.Past.Cause
		if cause == "" {
			cause = recordings.NotRecording
		}
		t.gap.note(cause, t.end)
	}
	return t
}

// SetTracks says how the units of the next Write are coded; sound nil: there is
// none, or it is not wanted. Parameter sets in the units themselves override those
// of video. A sound that MP4 cannot hold is left out.
func (t *Tape) SetTracks(video codecs.Track, sound *codecs.Track) {
	if codingOf(video, t.audio) != codingOf(video, sound) {
		t.sound.clear() // nobody can tell any more how that was coded
	}
	t.video, t.audio = video, sound
}

// Write writes units of one or several fragments, in decoding order: a new one
// begins at each key frame, and the last one ends with the units. All of them are
// shown before any unit that comes later. end is when the first of those is shown,
// 0 if nobody knows: then it is guessed. Units before the first key frame of a
// segment are dropped. Sound is kept until video covers it.
//
// An error is why the units, or some of them, were not written; the next key frame
// begins a new segment, if the store lets it, after a gap with the cause.
func (t *Tape) Write(ctx context.Context, video, sound []*codecs.Unit, end recordings.Time) error {
	if t.audio != nil {
		t.counts.SoundLost += uint64(t.sound.add(sound))
	}
	var problems error
	for len(video) > 0 {
		n := fragmentLength(video)
		piece := video[:n]
		video = video[n:]
		last := t.tail.after(piece)
		var next recordings.Time
		switch {
		case len(video) == 0:
			next = last.endBefore(end)
		case last.to(video[0]) == joined:
			next = max(earliest(video), last.at+1)
		default:
			next = last.guess()
		}
		problems = errors.Join(problems, t.fragment(ctx, piece, next))
	}
	return problems
}

// fragment writes units that begin with the only key frame among them, or with
// none. end is when the next one is shown.
func (t *Tape) fragment(ctx context.Context, units []*codecs.Unit, end recordings.Time) error {
	var problems error
	if t.segment != nil {
		problems = t.cut(units[0])
	}
	if t.segment == nil {
		if err := t.begin(ctx, units); err != nil || t.segment == nil {
			t.lose(units)
			return errors.Join(problems, err)
		}
	}
	err := t.append(units, end)
	if errors.Is(err, fmp4.ErrDiscontinuity) && units[0].Key && !t.segment.empty {
		// Something about the times that the checks above did not see.
		problems = errors.Join(problems, t.finish())
		if err = t.begin(ctx, units); err == nil && t.segment != nil {
			err = t.append(units, end)
		}
	}
	if err != nil {
		t.lose(units)
		t.fail(err)
	}
	return errors.Join(problems, err)
}

// cut ends the segment if the unit does not belong to it.
func (t *Tape) cut(u *codecs.Unit) error {
	s, at := t.segment, recordings.Time(u.At)
	switch t.tail.to(u) {
	case stepped:
		t.gap.note(recordings.ClockStep, 0)
		return t.finish()
	case apart:
		return t.finish()
	case torn:
		// Some cameras send nothing while nothing moves, and then go on; and what
		// refers to something that was lost is better than nothing.
		if u.Key {
			t.gap.note(recordings.FramesLost, 0)
			return t.finish()
		}
	case joined:
		if u.Key && (s.coding != codingOf(t.video, t.audio) || s.parametersChanged(u) ||
			at.Sub(s.ref.Start) >= t.opts.SegmentDuration) {
			return t.finish()
		}
	}
	return nil
}

// lose counts units that are not written.
func (t *Tape) lose(units []*codecs.Unit) { t.counts.FramesLost += uint64(len(units)) }

// Break ends the segment. Nothing is recorded for that cause since the given time;
// 0: since what was written last. The next segment says so.
func (t *Tape) Break(cause recordings.Cause, since recordings.Time) error {
	err := t.finish()
	t.gap.note(cause, since)
	return err
}

// End is the end of what was written last; 0 before.
func (t *Tape) End() recordings.Time { return t.end }

// Generation is that of what was written last.
func (t *Tape) Generation() int { return t.generation }

// Recording reports whether a segment is open.
func (t *Tape) Recording() bool { return t.segment != nil }

// Counts returns what was done so far.
func (t *Tape) Counts() Counts { return t.counts }

// Close ends the segment. Idempotent.
func (t *Tape) Close() error { return t.finish() }

// rotateAt is when the segment is long enough; 0 if there is none.
func (t *Tape) rotateAt() recordings.Time {
	if t.segment == nil {
		return 0
	}
	return t.segment.ref.Start.Add(t.opts.SegmentDuration)
}
