package agent

import (
	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/peer"
)

// videoStream is a camera's picture as a peer sends it.
type videoStream struct{ cam *camera.Camera }

var _ peer.Stream = (*videoStream)(nil)

// Renditions implements peer.Stream.
func (s *videoStream) Renditions() int { return s.cam.Renditions() }

// Track implements peer.Stream.
func (s *videoStream) Track(rendition int) (codecs.Track, bool) {
	return s.cam.Hub(rendition).Video()
}

// Open implements peer.Stream.
func (s *videoStream) Open(rendition int) peer.Feed { return s.cam.Hub(rendition).SubscribeVideo() }

// RequestKeyFrame implements peer.Stream.
func (s *videoStream) RequestKeyFrame(rendition int) { s.cam.RequestKeyFrame(rendition) }

// audioStream is a camera's sound, which comes from its main rendition.
type audioStream struct{ cam *camera.Camera }

var _ peer.Stream = (*audioStream)(nil)

// Renditions implements peer.Stream.
func (s *audioStream) Renditions() int { return 1 }

// Track implements peer.Stream.
func (s *audioStream) Track(int) (codecs.Track, bool) { return s.cam.Hub(0).Audio() }

// Open implements peer.Stream.
func (s *audioStream) Open(int) peer.Feed { return s.cam.Hub(0).SubscribeAudio() }

// RequestKeyFrame implements peer.Stream. Sound has none.
func (s *audioStream) RequestKeyFrame(int) {}
