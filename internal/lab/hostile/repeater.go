package hostile

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/internal/peer"
)

// maxFrames bounds what waits for one feed; then it goes on with the next key
// frame.
const maxFrames = 512

// repeater is a stream that repeats another one.
type repeater struct {
	// constant after construction
	seen *atomic.Int64 // counts the units

	mu sync.Mutex
	// guarded by mu
	source *peer.RemoteTrack // nil until it has arrived
	feeds  map[*feed]bool
}

func newRepeater(seen *atomic.Int64) *repeater {
	return &repeater{seen: seen, feeds: map[*feed]bool{}}
}

// run repeats a track until it or ctx ends.
func (r *repeater) run(ctx context.Context, track *peer.RemoteTrack) {
	r.mu.Lock()
	r.source = track
	r.mu.Unlock()
	for {
		u, err := track.ReadUnit(ctx)
		if err != nil {
			return
		}
		r.seen.Add(1)
		f := rtppack.NewFrame(track.Codec(), u)
		r.mu.Lock()
		for feed := range r.feeds {
			feed.push(f)
		}
		r.mu.Unlock()
	}
}

// Renditions implements peer.Stream.
func (r *repeater) Renditions() int { return 1 }

// Track implements peer.Stream.
func (r *repeater) Track(int) (codecs.Track, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.source == nil {
		return codecs.Track{}, false
	}
	return codecs.Track{Codec: r.source.Codec(), ClockRate: 90000}, true
}

// RequestKeyFrame implements peer.Stream.
func (r *repeater) RequestKeyFrame(int) {
	r.mu.Lock()
	source := r.source
	r.mu.Unlock()
	if source != nil {
		source.RequestKeyFrame()
	}
}

// Open implements peer.Stream.
func (r *repeater) Open(int) peer.Feed {
	f := &feed{repeater: r, wake: make(chan struct{}, 1), needKey: true}
	r.mu.Lock()
	r.feeds[f] = true
	r.mu.Unlock()
	r.RequestKeyFrame(0)
	return f
}

// feed is one reader of a repeater.
type feed struct {
	// constant after construction
	repeater *repeater
	wake     chan struct{}

	mu sync.Mutex
	// guarded by mu
	frames  []*rtppack.Frame
	skipped int
	needKey bool
	closed  bool
}

func (f *feed) push(frame *rtppack.Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.frames) >= maxFrames {
		f.needKey = true
	}
	if f.needKey && !frame.Unit.Key {
		f.skipped++
		return
	}
	f.needKey = false
	f.frames = append(f.frames, frame)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Wake implements peer.Feed.
func (f *feed) Wake() <-chan struct{} { return f.wake }

// Next implements peer.Feed.
func (f *feed) Next() (*rtppack.Frame, int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, 0, false
	}
	if len(f.frames) == 0 {
		return nil, 0, true
	}
	frame, skipped := f.frames[0], f.skipped
	f.frames, f.skipped = f.frames[1:], 0
	return frame, skipped, true
}

// Behind implements peer.Feed.
func (f *feed) Behind() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.frames)
}

// SkipToFreshKey implements peer.Feed: there is no cache.
func (f *feed) SkipToFreshKey(time.Duration) bool { return false }

// Close implements peer.Feed.
func (f *feed) Close() {
	f.repeater.mu.Lock()
	delete(f.repeater.feeds, f)
	f.repeater.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}
