package recorder

import "github.com/sightline-cam/sightline/recordings"

// rules say which frames of a camera are to be recorded, by when they arrived: by the
// clock on the wall, as pauses, schedules and events are. They are never changed.
type rules struct {
	schedule Schedule
	onEvent  bool
	// pause holds now, if it has a camera; held: even before its beginning, because
	// the clock may have been set back since. lifted is when the last one was in
	// force, as far as frames of then may still come.
	pause  recordings.Pause
	held   bool
	lifted recordings.Range
	// windows are around events.
	windows []recordings.Range
}

// verdict returns why a frame that arrived then is not to be recorded; empty: it is.
// The causes are Paused, Schedule and NoEvent, in this order.
func (r *rules) verdict(at recordings.Time) recordings.Cause {
	if r.pause.Camera != "" && (r.held || at >= r.pause.From) && (r.pause.To == 0 || at < r.pause.To) ||
		at >= r.lifted.From && at < r.lifted.To {
		return recordings.Paused
	}
	if !r.schedule.Always() && !r.schedule.Active(at.Std()) {
		return recordings.Schedule
	}
	if !r.onEvent {
		return ""
	}
	for _, w := range r.windows {
		if at >= w.From && at < w.To {
			return ""
		}
	}
	return recordings.NoEvent
}
