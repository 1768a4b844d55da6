package playback

// Camera is one that is recorded, or would be.
type Camera struct {
	ID, Name string
	// Recording says that something is being written now.
	Recording bool
	// Reason is a sentence that says why not; empty if it is recorded.
	Reason string
	// Origin is the PeerID of the agent that has the camera; empty for one of this
	// process.
	Origin string
}
