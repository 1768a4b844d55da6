package peer

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

// Feed is one consumer's position in a stream of frames. It never blocks its
// producer; a consumer that falls behind loses whole GOPs and is told so.
type Feed interface {
	// Wake returns a channel of capacity 1 that is signalled when Next may
	// have something, or when the feed has ended.
	Wake() <-chan struct{}
	// Next returns the next frame, or nil if there is none yet. skipped is
	// the number of frames lost before this one because the consumer was
	// slow. ok is false once the feed has ended.
	Next() (f *rtppack.Frame, skipped int, ok bool)
	// Behind returns how many frames lie between this position and live.
	Behind() int
	// SkipToFreshKey moves to the newest key frame at or ahead of this
	// position if it arrived at most maxAge ago, and reports whether it did.
	SkipToFreshKey(maxAge time.Duration) bool
	// Close ends the feed. Idempotent.
	Close()
}

// Stream is something a peer can watch or listen to.
type Stream interface {
	// Renditions returns the number of renditions of the stream, best first.
	// At least 1.
	Renditions() int
	// Track describes a rendition; ok is false while it is not known yet
	// (the camera has not answered).
	Track(rendition int) (t codecs.Track, ok bool)
	// Open returns a feed of a rendition that begins at the newest cached key
	// frame, or at the next one where none is cached. Audio begins live.
	Open(rendition int) Feed
	// RequestKeyFrame asks the source for a key frame. It does not block and
	// limits its own rate; a source that cannot be asked ignores it.
	RequestKeyFrame(rendition int)
}
