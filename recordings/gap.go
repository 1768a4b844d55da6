package recordings

// Gap is a time in which a stream was to be recorded, and was not.
type Gap struct {
	Stream
	Range
	Cause Cause
}

// Cause is why there is a gap.
type Cause string

// The causes of gaps.
const (
	// CameraOffline: the camera was not connected.
	CameraOffline Cause = "camera-offline"
	// NotRecording: the recorder did not run.
	NotRecording Cause = "not-recording"
	// Crash: the recorder ended without closing the segment before.
	Crash Cause = "crash"
	// Paused: by somebody, for privacy.
	Paused Cause = "paused"
	// Schedule: outside the times at which the camera is recorded.
	Schedule Cause = "schedule"
	// NoEvent: the camera is recorded only when something happens.
	NoEvent Cause = "no-event"
	// FramesLost: on the way from the camera or the agent.
	FramesLost Cause = "frames-lost"
	// AgentUnreachable: the remote agent could not be reached, and its spool no
	// longer had what was missing.
	AgentUnreachable Cause = "agent-unreachable"
	// DiskFull: there was no room.
	DiskFull Cause = "disk-full"
	// DiskFailed: the disk refused to write, or to promise that it has written.
	DiskFailed Cause = "disk-failed"
	// DiskSlow: the disk did not keep up.
	DiskSlow Cause = "disk-slow"
	// ClockStep: the clock was set forward; nothing is missing.
	ClockStep Cause = "clock-step"
	// Damaged: a check found that a part of a file cannot be read.
	Damaged Cause = "damaged"
	// Unknown: nobody wrote down why.
	Unknown Cause = "unknown"
)

// Planned reports whether somebody wanted it so.
func (c Cause) Planned() bool {
	return c == Paused || c == Schedule || c == NoEvent
}
