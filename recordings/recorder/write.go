package recorder

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
)

// progress is how far the goroutines are that write. It is shared.
type progress struct {
	written atomic.Uint64 // jobs that were done, each before it leaves its queue
	dirty   chan struct{} // capacity 1: there are more
}

// write does the jobs of a stream until its queue is closed, and ends the tape. What
// it writes it counts in p.
func (s *stream) write(ctx context.Context, tape *Tape, p *progress) {
	for {
		jobs := s.queue.take()
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs {
			err := j.do(ctx, tape)
			p.written.Add(1)
			s.queue.done(j)
			s.publish(ctx, tape, err, len(j.video) > 0)
		}
		clear(jobs)
		signal(p.dirty)
	}
	s.publish(ctx, tape, tape.Close(), true)
	p.written.Add(1)
	signal(p.dirty)
}

// do does the job.
func (j *job) do(ctx context.Context, tape *Tape) error {
	if j.tracks != nil {
		tape.SetTracks(j.tracks.video, j.tracks.sound)
	}
	var err error
	if j.cause != "" {
		err = tape.Break(j.cause, j.since)
	}
	if len(j.video) > 0 {
		err = errors.Join(err, tape.Write(ctx, j.video, j.sound, j.end))
	}
	return err
}

// publish lets others know how the tape stands. tried says that frames were to be
// written.
func (s *stream) publish(ctx context.Context, tape *Tape, err error, tried bool) {
	s.rotateAt.Store(int64(tape.rotateAt()))
	log := s.opts.Logger.With("camera", s.id.Camera, "rendition", s.id.Rendition)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = tape.Counts()
	before := s.failure
	switch {
	case err != nil && !tape.Recording():
		s.failure = err
	case tried && tape.Recording():
		s.failure = nil
	}
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		log.LogAttrs(ctx, slog.LevelError, "recordings are being lost", slog.Any("error", err))
	case before != nil && s.failure == nil:
		log.LogAttrs(ctx, slog.LevelInfo, "recording goes on")
	}
}
