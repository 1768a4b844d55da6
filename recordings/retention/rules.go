package retention

import "time"

// Rules say for how long a camera's recordings are kept. The zero value keeps them
// until the room is needed.
type Rules struct {
	// Keep is for how long; 0: no limit.
	Keep time.Duration
	// KeepEvents is for how long what was recorded around events; 0, or less than
	// Keep: like everything else. Where room is needed, it counts as that much
	// younger.
	KeepEvents time.Duration
	// MaxBytes is how much of a camera is kept, all its renditions together and
	// without what is locked; 0: no limit.
	MaxBytes int64
	// Agent is the agent elsewhere that has the camera. Where room is needed, one with
	// more than its share of what is recorded gives way first, unless MaxBytes bounds
	// it. Default: none.
	Agent string
	// Before and After are what belongs to an event beside the event itself.
	// Defaults 5 s and 30 s.
	Before, After time.Duration
}

func (r *Rules) setDefaults() {
	if r.Before <= 0 {
		r.Before = 5 * time.Second
	}
	if r.After <= 0 {
		r.After = 30 * time.Second
	}
}

// bonus is by how much what belongs to an event counts as younger than it is.
func (r *Rules) bonus() time.Duration { return max(r.KeepEvents-r.Keep, 0) }

// expired reports whether what ended that long ago is too old.
func (r *Rules) expired(age time.Duration, event bool) bool {
	keep := r.Keep
	if event {
		keep = max(keep, r.KeepEvents)
	}
	return r.Keep > 0 && age > keep
}
