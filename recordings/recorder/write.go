package recorder

import (
	"context"
	"errors"
	"log/slog"
)

// write does the jobs of a stream until its queue is closed, and ends the tape. wrote
// is called whenever something was written.
func (s *stream) write(ctx context.Context, tape *Tape, wrote func()) {
	for {
		jobs := s.queue.take()
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs {
			err := j.do(ctx, tape)
			s.queue.done(j)
			s.publish(ctx, tape, err, len(j.video) > 0)
		}
		clear(jobs)
		wrote()
	}
	s.publish(ctx, tape, tape.Close(), true)
	wrote()
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
