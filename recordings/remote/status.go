package remote

import (
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Status is how an agent stands.
type Status struct {
	// Connected says that there is a session with all cameras; Reason is a sentence
	// why not. Since is when either changed.
	Connected bool
	Reason    string
	Since     time.Time
	Streams   []StreamStatus
}

// StreamStatus is how the recording of one rendition of a camera stands.
type StreamStatus struct {
	// Camera is the id here, Remote the agent's.
	Camera, Remote, Rendition string
	// Recording says that live pictures are being written; Reason is a sentence why
	// not.
	Recording bool
	Reason    string
	// Verified says that the agent tells what it has, so that nothing is lost.
	Verified bool
	// Recorded is up to when there is everything that was not left to the background,
	// and Behind how long ago that is.
	Recorded recordings.Time
	Behind   time.Duration
	// Fragments were written, Repaired of them fetched at once, Unlisted written
	// although the agent does not have them any more.
	Fragments, Repaired, Unlisted uint64
	// Missing is what is still to be fetched in the background, in fragments and
	// bytes; Backfilled and BackfilledBytes what was; Gone what the agent did not have
	// any more when it was its turn.
	Missing, Backfilled, Gone     uint64
	MissingBytes, BackfilledBytes int64
}
