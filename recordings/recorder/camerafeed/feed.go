// Package camerafeed lets a recorder.Recorder record a camera.Camera.
package camerafeed

import (
	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// Feeds returns the renditions of a camera, for recorder.Input.Feeds.
func Feeds(c *camera.Camera) map[string]recorder.Feed {
	feeds := make(map[string]recorder.Feed, c.Renditions())
	for i := range c.Renditions() {
		name := recordings.Main
		if i > 0 {
			name = recordings.Sub
		}
		feeds[name] = feed{camera: c, rendition: i}
	}
	return feeds
}

type feed struct {
	camera    *camera.Camera
	rendition int
}

func (f feed) Tracks() []codecs.Track { return f.camera.Hub(f.rendition).Tracks() }

func (f feed) SubscribeVideo() recorder.Subscription {
	return f.camera.Hub(f.rendition).TapVideo()
}

func (f feed) SubscribeAudio() recorder.Subscription {
	return f.camera.Hub(f.rendition).TapAudio()
}

func (f feed) Offline() string {
	switch s := f.camera.RenditionStatus(f.rendition); s.State {
	case camera.Live:
		return ""
	case camera.Offline:
		if s.Reason != "" {
			return "the camera is offline: " + s.Reason
		}
		return "the camera is offline"
	default:
		return "connecting to the camera"
	}
}

func (f feed) RequestKeyFrame() { f.camera.RequestKeyFrame(f.rendition) }
