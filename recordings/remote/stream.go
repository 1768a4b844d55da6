package remote

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// stream records one rendition of a camera. Its recording's goroutine owns it, but
// for what is said to be shared.
type stream struct {
	// Constant after construction.
	o      *Options
	name   recordings.Stream // as it is called here
	remote string            // the camera's id at the agent
	title  string            // what people call the camera
	gate   gate
	sound  bool
	log    *slog.Logger

	holes *holes // shared with the filler

	follower *follower
	tape     Tape
	mode     mode
	epoch    string // of the agent's spool; empty before the first list
	joined   bool   // what was missed before this session is known
	cause    recordings.Cause
	salvaged *salvaged
	refused  []fragment.Entry // not wanted, as far as known at that time
	rechecks time.Time
	listing  bool      // a request is under way
	listNext time.Time // when the next one may begin
	failing  bool      // the last write failed, and a line says so
	plain    *plainWriter
	told     bool // that the agent keeps nothing
	odd      bool // it was said that times are wrong
	fetching bool // a request for what an item lacks is under way

	generation atomic.Int64 // of the tape, for the filler
	fillable   atomic.Bool  // the holes are those of the present session

	mu     sync.Mutex // guards what follows, for Status
	status StreamStatus
}

// mode is by what a stream goes.
type mode uint8

const (
	asking   mode = iota // nothing is known yet
	verified             // the agent lists what it has
	liveOnly             // it does not
	absent               // there is no such rendition
)

// salvaged is what was written while it was not known whether the agent would come
// back.
type salvaged struct {
	epoch    string
	from, to int64
	refs     []recordings.Ref
}

const (
	// listEvery is how often the agent is asked for its list where no picture says
	// that there is something new, listSoon how long after the end of a group the
	// agent's list should have it.
	listEvery = 5 * time.Second
	listSoon  = 1500 * time.Millisecond
	// recheckEvery is how often it is looked whether what was refused is wanted now,
	// and maxRefused how much of that is remembered.
	recheckEvery = 5 * time.Second
	maxRefused   = 512
	// retryStore is how long the background waits after the store refused.
	retryStore = 30 * time.Second
)

func (s *stream) tapeOptions() recorder.TapeOptions {
	return recorder.TapeOptions{
		Stream: s.name, Store: s.o.Store, CameraName: s.title, SegmentDuration: s.o.SegmentDuration, Writer: s.o.Writer,
		CauseOf: s.o.CauseOf, Logger: s.log,
	}
}

// causeOf is recorder.TapeOptions.CauseOf.
func (s *stream) causeOf(err error) recordings.Cause {
	if errors.Is(err, errBegun) {
		return recordings.FramesLost
	}
	return s.o.CauseOf(err)
}

// open makes the tape.
func (s *stream) open(ctx context.Context) error {
	past, err := s.o.Store.Past(ctx, s.name)
	if err != nil {
		return err
	}
	o := s.tapeOptions()
	if s.o.CauseOf != nil {
		o.CauseOf = s.causeOf
	}
	o.Past, o.Store = past, &sparing{Store: s.o.Store, begun: rate.NewLimiter(rate.Limit(begunPerMinute)/60, begunBurst)}
	s.tape = s.o.NewTape(o)
	s.generation.Store(int64(past.Generation))
	s.follower.end = int64(past.End)
	return nil
}

// write writes a fragment that is whole, if it is wanted.
func (s *stream) write(ctx context.Context, f *fragment.Fragment, e fragment.Entry, listed bool) {
	r := recordings.Range{From: recordings.Time(f.Start()), To: recordings.Time(f.End())}
	if cause := s.gate.cause(ctx, r); cause != "" {
		s.cut(cause)
		if later(cause) && listed {
			if s.refused = append(s.refused, e); len(s.refused) > maxRefused {
				s.refused = s.refused[1:]
			}
		}
		return
	}
	switch f.Joint {
	case fragment.Interruption:
		s.cut(recordings.CameraOffline)
	case fragment.Restart:
		s.cut(recordings.AgentUnreachable)
	case fragment.Direct:
	}
	if s.cause != "" {
		s.report(s.tape.Break(s.cause, 0))
		s.cause = ""
	}
	sound := f.AudioTrack
	if !s.sound {
		sound = nil
	}
	s.tape.SetTracks(f.VideoTrack, sound)
	err := s.tape.Write(ctx, f.Video, f.Audio, r.To)
	s.generation.Store(int64(s.tape.Generation()))
	s.report(err)
	if err != nil {
		if listed {
			s.holes.add(e)
			s.holes.wait(time.Now().Add(retryStore))
		}
		return
	}
	s.mu.Lock()
	s.status.Recorded = r.To
	s.status.Fragments++
	s.mu.Unlock()
}

// cut notes why the next fragment does not follow the one before. The first reason
// counts.
func (s *stream) cut(cause recordings.Cause) {
	if s.cause == "" {
		s.cause = cause
	}
}

// report logs that the store refuses, once until it takes something again.
func (s *stream) report(err error) {
	if err != nil && !s.failing {
		s.log.Error("pictures of a remote camera are not written; they are fetched again later", "error", err)
	}
	s.failing = err != nil
}

// settle does what the follower has decided.
func (s *stream) settle(ctx context.Context, outcomes []outcome) {
	for _, o := range outcomes {
		if o.fetching && o.stop != nil {
			o.stop() // nobody waits for it any more
		}
		if o.skip {
			s.skip(o.item)
			continue
		}
		f, err := o.make()
		if err != nil { // it was compared
			s.log.Error("a group of pictures does not fit its times", "error", err)
			s.skip(o.item)
			continue
		}
		s.write(ctx, f, o.entry, !o.unlisted)
	}
}

// tellOdd says once that the agent's times are wrong.
func (s *stream) tellOdd() {
	if !s.odd {
		s.odd = true
		s.log.Warn("the agent has pictures of a time that cannot be, and they are not recorded: its clock is wrong, or this one")
	}
}

// skip leaves something to the background.
func (s *stream) skip(i *item) {
	s.cut(recordings.FramesLost)
	s.holes.add(i.entry)
}

// recheck looks whether what was refused is wanted by now: something has happened
// after it, and there is to be a picture of the time before.
func (s *stream) recheck(ctx context.Context, now time.Time) {
	if len(s.refused) == 0 || now.Before(s.rechecks) {
		return
	}
	s.rechecks = now.Add(recheckEvery)
	kept := s.refused[:0]
	for _, e := range s.refused {
		switch c := s.gate.cause(ctx, rangeOf(e)); {
		case c == "":
			s.holes.add(e)
		case later(c):
			kept = append(kept, e)
		}
	}
	s.refused = kept
}

func rangeOf(e fragment.Entry) recordings.Range {
	return recordings.Range{From: recordings.Time(e.StartUs), To: recordings.Time(e.EndUs())}
}

// detach says that the session has ended.
func (s *stream) detach() {
	s.joined = false
	s.fillable.Store(false)
}

// salvage writes what came live last to a segment of its own. It is replaced if the
// agent turns out to have it: its times are better, and there may be more of it.
func (s *stream) salvage(ctx context.Context) {
	if s.mode != verified || s.salvaged != nil {
		return
	}
	s.settle(ctx, s.follower.flush(time.Now()))
	pieces := s.follower.salvage()
	if len(pieces) == 0 {
		return
	}
	store := &capturing{Store: s.o.Store}
	o := s.tapeOptions()
	o.Store, o.Past = store, recorder.Past{Generation: s.tape.Generation()}
	tape := s.o.NewTape(o)
	out := &salvaged{epoch: s.epoch, from: pieces[0].Start(), to: pieces[len(pieces)-1].End()}
	for _, f := range pieces {
		r := recordings.Range{From: recordings.Time(f.Start()), To: recordings.Time(f.End())}
		if s.gate.cause(ctx, r) != "" {
			continue
		}
		// A microsecond later than it would be, so that the real one is another segment.
		for _, u := range f.Video {
			u.At++
		}
		tape.SetTracks(f.VideoTrack, nil)
		s.report(tape.Write(ctx, f.Video, nil, r.To+1))
	}
	s.report(tape.Close())
	out.refs = store.refs
	s.salvaged = out
	s.cut(recordings.AgentUnreachable)
}

// replaceSalvaged removes what was salvaged if the agent has it after all.
func (s *stream) replaceSalvaged(ctx context.Context, epoch string, entries []fragment.Entry) {
	v := s.salvaged
	if v == nil {
		return
	}
	s.salvaged = nil
	if v.epoch != epoch || len(v.refs) == 0 {
		return
	}
	for _, e := range entries {
		if e.StartUs < v.to && e.EndUs() > v.from {
			if err := s.o.Store.Delete(ctx, v.refs...); err != nil {
				s.log.Warn("pictures are there twice for a moment", "error", err)
			}
			return
		}
	}
}

// fetched takes what came of a request for what an item lacks.
func (s *stream) fetched(now time.Time, i *item, p part, err error) {
	const again, most = time.Second, 3
	f := s.follower
	if errors.Is(err, errGone) {
		s.cut(recordings.AgentUnreachable)
		f.gone(i)
		return
	}
	var whole *fragment.Fragment
	var sound []*codecs.Unit
	if err == nil {
		if p == onlySound {
			sound, err = soundIn(i, i.got)
		} else {
			whole, err = wholeIn(i.entry, i.got, s.sound)
		}
		i.got = nil
		if err != nil {
			if i.wrong++; i.wrong == most {
				s.log.Warn("the agent does not give what it lists", "fragment", i.entry.Seq, "error", err)
				f.gone(i)
				return
			}
		}
	}
	f.fetched(i, whole, sound, now.Add(again))
}

// wholeIn reads a fragment, without its sound if that was not fetched, and compares
// it with the entry.
func wholeIn(e fragment.Entry, data []byte, sound bool) (*fragment.Fragment, error) {
	h, err := fragment.DecodeHead(data)
	if err != nil {
		return nil, err
	}
	sound = sound && e.Sound != nil
	if !sound {
		h = h.WithoutSound()
	}
	rest := data[h.Bytes:]
	if len(rest) != h.VideoBytes+h.AudioBytes {
		return nil, errAnswer
	}
	f, err := h.Payload(rest[:h.VideoBytes:h.VideoBytes], rest[h.VideoBytes:])
	switch {
	case err != nil:
		return nil, err
	case !headCanBe(time.Now(), h, &e), f.Start() != e.StartUs || f.Duration.Microseconds() != e.DurationUs || fragment.DigestOf(f.Video) != e.Digest,
		sound && fragment.DigestOf(f.Audio) != e.Sound.Digest:
		return nil, errAnswer
	}
	return f, nil
}

// soundIn reads the sound of an item and compares it with the entry.
func soundIn(i *item, data []byte) ([]*codecs.Unit, error) {
	units, err := i.head.Sound(data)
	if err != nil {
		return nil, err
	}
	if fragment.DigestOf(units) != i.entry.Sound.Digest {
		return nil, errAnswer
	}
	return units, nil
}

// publish makes the status known.
func (s *stream) publish(online bool) {
	c := s.follower.counts
	fragments, bytes := s.holes.left()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.status
	st.Recording, st.Verified, st.Reason = online, s.mode == verified, ""
	st.Repaired, st.Unlisted, st.Missing, st.MissingBytes = c.Fetched, c.Unlisted, uint64(fragments), bytes
	switch {
	case !online:
		st.Reason = "the agent is not connected"
	case s.mode == absent:
		st.Recording, st.Reason = false, "the agent has no such rendition, or does not keep it for recorders"
	case s.failing:
		st.Recording, st.Reason = false, "the recordings cannot be written"
	case s.mode == asking:
		st.Reason = "asking the agent what it has"
	}
}

// Status returns how the stream stands. Safe for concurrent use.
func (s *stream) Status(now time.Time) StreamStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	if st.Recorded > 0 {
		st.Behind = max(recordings.TimeOf(now).Sub(st.Recorded), 0)
	}
	return st
}

// close ends the tape.
func (s *stream) close() {
	if s.tape != nil {
		s.report(s.tape.Close())
	}
}
