package recorder

import "time"

// Status is how the recording of one rendition of a camera stands.
type Status struct {
	Camera, Rendition string
	// Recording says that frames are being written; Reason is a sentence why not,
	// for people. Since is when either changed.
	Recording bool
	Reason    string
	Since     time.Time
	// Paused says that somebody wants it so, PausedUntil until when; zero: until
	// somebody ends it.
	Paused      bool
	PausedUntil time.Time
	// Bytes and Frames were written since the start, Segments begun.
	Bytes, Frames, Segments uint64
	// FramesLost is how many frames came and were not written though they should
	// have been: this process, or the disk, was too slow, full or broken.
	FramesLost uint64
	// SoundLost is how many units of sound were dropped because no pictures came
	// for them.
	SoundLost uint64
	// QueueBytes wait for the disk, PreRollBytes for an event.
	QueueBytes, PreRollBytes int64
}
