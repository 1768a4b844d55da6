package camera

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sightline-cam/sightline/codecs"
)

// HubOptions bound a Hub. The zero value is ready to use.
type HubOptions struct {
	// MaxBytes bounds the cached video in bytes. Default 16 MiB. A GOP that
	// is longer loses its beginning: new viewers then wait for a key frame.
	MaxBytes int
	// Slack is how many frames a consumer may be behind without losing any,
	// even across a key frame. Default 64.
	Slack int
	// OnWatched is called after the first consumer came or the last one went; see
	// Watched. Those that only tap do not count.
	OnWatched func()
}

// Hub is the fan-out of one rendition: it keeps the frames since the last key
// frame and serves any number of subscriptions. It never waits for a consumer.
type Hub struct {
	video, audio *lane
	onWatched    func() // constant
	watching     atomic.Int64

	mu     sync.Mutex
	tracks []codecs.Track
}

// NewHub returns an empty hub.
func NewHub(o HubOptions) *Hub {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	if o.Slack <= 0 {
		o.Slack = 64
	}
	if o.OnWatched == nil {
		o.OnWatched = func() {}
	}
	// Frames of sound are small and many: a recorder looks twice a second.
	const audioBytes, audioSlack = 256 << 10, 256
	h := &Hub{video: newLane(true, o.MaxBytes, o.Slack), audio: newLane(false, audioBytes, max(o.Slack, audioSlack)), onWatched: o.OnWatched}
	h.video.left, h.audio.left = h.wentAway, h.wentAway
	return h
}

// SetTracks announces the tracks of the source. A change of the video codec
// makes consumers wait for the next key frame.
func (h *Hub) SetTracks(tracks []codecs.Track) {
	h.mu.Lock()
	old, _ := find(h.tracks, codecs.Codec.Video)
	now, _ := find(tracks, codecs.Codec.Video)
	h.tracks = slices.Clone(tracks)
	h.mu.Unlock()
	if old.Codec != now.Codec {
		h.video.discontinuity()
	}
}

// Tracks returns the tracks of the source; empty while they are not known.
func (h *Hub) Tracks() []codecs.Track {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.tracks)
}

// Video returns the video track; ok is false while there is none.
func (h *Hub) Video() (t codecs.Track, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return find(h.tracks, codecs.Codec.Video)
}

// Audio returns the first audio track; ok is false while there is none.
func (h *Hub) Audio() (t codecs.Track, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return find(h.tracks, codecs.Codec.Audio)
}

func find(tracks []codecs.Track, is func(codecs.Codec) bool) (codecs.Track, bool) {
	for _, t := range tracks {
		if is(t.Codec) {
			return t, true
		}
	}
	return codecs.Track{}, false
}

// WriteUnit hands a unit to every subscription of its kind. A unit of a track
// that was not announced is dropped, and so is video before the first key
// frame. Only the first audio track is served.
func (h *Hub) WriteUnit(u *codecs.Unit) {
	h.mu.Lock()
	if u.Track < 0 || u.Track >= len(h.tracks) {
		h.mu.Unlock()
		return
	}
	c := h.tracks[u.Track].Codec
	firstAudio := slices.IndexFunc(h.tracks, func(t codecs.Track) bool { return t.Codec.Audio() })
	h.mu.Unlock()
	switch {
	case c.Video():
		h.video.publish(c, u)
	case u.Track == firstAudio:
		h.audio.publish(c, u)
	}
}

// Interrupt tells consumers that the source's connection was lost: what comes
// next begins with a key frame.
func (h *Hub) Interrupt() { h.video.discontinuity() }

// SubscribeVideo returns a subscription that begins at the newest cached key
// frame, or at the next one where none is cached.
func (h *Hub) SubscribeVideo() *Subscription { return h.came(h.video.subscribe()) }

// SubscribeAudio returns a subscription to the audio that begins live.
func (h *Hub) SubscribeAudio() *Subscription { return h.came(h.audio.subscribe()) }

// Watched reports whether there is any consumer but those that tap.
func (h *Hub) Watched() bool { return h.watching.Load() > 0 }

func (h *Hub) came(s *Subscription) *Subscription {
	if h.watching.Add(1) == 1 {
		h.onWatched()
	}
	return s
}

func (h *Hub) wentAway() {
	if h.watching.Add(-1) == 0 {
		h.onWatched()
	}
}

// Subscribers returns the number of open video subscriptions.
func (h *Hub) Subscribers() int {
	h.video.mu.Lock()
	defer h.video.mu.Unlock()
	return len(h.video.subs)
}

// Close ends all subscriptions. Idempotent.
func (h *Hub) Close() {
	h.video.close()
	h.audio.close()
}
