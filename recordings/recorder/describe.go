package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// silent is after how long without a picture there is something to say.
const silent = 5 * time.Second

// describe updates the status.
func (s *stream) describe(now time.Time) {
	st := Status{Camera: s.id.Camera, Rendition: s.id.Rendition}
	r := s.guard.rules()
	cause := r.verdict(recordings.TimeOf(now))
	if r.pause.Camera != "" && cause == recordings.Paused {
		st.Paused = true
		if r.pause.To != 0 {
			st.PausedUntil = r.pause.To.Std()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Reason = s.reasonLocked(r, cause, now)
	st.Recording = st.Reason == ""
	st.Since = s.status.Since
	if st.Reason != s.status.Reason || st.Recording != s.status.Recording {
		st.Since = now
	}
	st.QueueBytes, st.PreRollBytes = s.queue.load(), s.preRoll.bytes
	s.status = st
}

// reasonLocked says why nothing is recorded at the moment; empty if it is.
func (s *stream) reasonLocked(r *rules, cause recordings.Cause, now time.Time) string {
	if cause == recordings.NoEvent && s.on {
		cause = "" // until the GOP ends
	}
	switch {
	case cause == recordings.Paused:
		return pausedText(r.pause, now)
	case cause == recordings.Schedule:
		return scheduleText(r.schedule, now)
	case s.failure != nil:
		return "nothing can be recorded: " + s.failure.Error()
	case s.slow:
		return "the disk does not keep up; frames are left out until it has"
	case s.ended:
		return "the camera is switched off"
	case s.offline != "":
		return s.offline
	case cause == recordings.NoEvent:
		return "waiting for something to happen"
	case s.needKey, !s.on:
		return "waiting for a key frame of the camera"
	case now.Sub(s.newest) > silent:
		return "the camera sends no pictures"
	}
	return ""
}

func pausedText(p recordings.Pause, now time.Time) string {
	text := "recording is paused"
	if p.By != "" {
		text += " by " + p.By
	}
	if p.To != 0 {
		text += " until " + clockText(p.To.Std().Local(), now)
	}
	return text
}

func scheduleText(s Schedule, now time.Time) string {
	text := "outside of its times (" + s.String() + ")"
	if next := s.Next(now); !next.IsZero() {
		text += ", again from " + clockText(next, now)
	}
	return text
}

// clockText is a time of day, with the day if that is not soon.
func clockText(t, now time.Time) string {
	if t.Sub(now) > 12*time.Hour {
		return t.Format("Monday 2 January 15:04")
	}
	return t.Format("15:04")
}

// snapshot returns the status. Safe for concurrent use.
func (s *stream) snapshot() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	st.Bytes, st.Frames, st.Segments = s.written.Bytes, s.written.Frames, s.written.Segments
	st.FramesLost = s.written.FramesLost + s.skipped
	st.SoundLost = s.written.SoundLost + s.deaf
	return st
}
