package fmp4

import (
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Header is what a segment says about itself besides its media. It is enough to
// make the segment's row in the index again.
type Header struct {
	// Ref is the segment's name. Its Start is that of the first fragment.
	recordings.Ref
	// Origin is how the segment came to be; empty means Live.
	Origin recordings.Origin
	// Before is why nothing lies directly before the segment; empty if something
	// does, or if it is the first.
	Before recordings.Cause
	// Gaps lie before the segment and are not written down anywhere else, in order;
	// at most MaxGaps. Their stream is the segment's.
	Gaps []recordings.Gap
	// ClockOffset is how far the recording's time was ahead of the clock on the wall.
	ClockOffset time.Duration
	// CameraName is what people call the camera, at most 200 bytes are kept.
	CameraName string
	// Writer names the program, at most 100 bytes are kept.
	Writer string
	// Signed says that the video carries ONVIF media signatures.
	Signed bool
}

// MaxGaps is how many gaps a Header holds.
const MaxGaps = 16
