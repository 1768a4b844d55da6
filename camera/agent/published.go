package agent

import (
	"fmt"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// published are the cameras of an agent with their streams. Constant.
type published struct {
	order []*publishedCamera
	byID  map[string]*publishedCamera
}

// publishedCamera is one of them. Its streams are the same objects each time
// they are asked for: a peer recognizes them when a session is renegotiated.
type publishedCamera struct {
	*camera.Camera
	video *videoStream
	audio *audioStream
}

func publish(cameras []*camera.Camera) *published {
	p := &published{byID: make(map[string]*publishedCamera, len(cameras))}
	for _, c := range cameras {
		pc := &publishedCamera{Camera: c, video: &videoStream{c}, audio: &audioStream{c}}
		p.order = append(p.order, pc)
		p.byID[c.ID()] = pc
	}
	return p
}

// find returns the camera of that id; "" is the first.
func (p *published) find(id string) (*publishedCamera, bool) {
	if id == "" {
		return p.order[0], true
	}
	c, ok := p.byID[id]
	return c, ok
}

// stream returns what a media section of that kind carries.
func (c *publishedCamera) stream(kind string) peer.Stream {
	switch kind {
	case "video":
		return c.video
	case "audio":
		return c.audio
	}
	return nil
}

// noCameraError names a camera that an offer asked for and nobody has.
type noCameraError struct{ id string }

func (e *noCameraError) Error() string { return fmt.Sprintf("There is no camera %q here.", e.id) }

// pick returns the choice of streams for an offer that names its cameras. The
// error is a *noCameraError.
func (p *published) pick(media []signaling.Media) (func(mid, kind string) peer.Stream, error) {
	byMID := make(map[string]*publishedCamera, len(media))
	for _, m := range media {
		c, ok := p.find(m.Camera)
		if !ok {
			return nil, &noCameraError{m.Camera}
		}
		byMID[m.MID] = c
	}
	type line struct {
		camera *publishedCamera
		kind   string
	}
	taken := make(map[line]string, len(media)) // by mid
	return func(mid, kind string) peer.Stream {
		c := byMID[mid]
		if c == nil {
			return nil
		}
		if first, ok := taken[line{c, kind}]; ok && first != mid {
			return nil // once is enough
		}
		taken[line{c, kind}] = mid
		return c.stream(kind)
	}, nil
}

// pickOne returns the choice of streams for an offer that wants one camera: its
// first video and its first audio section.
func (c *publishedCamera) pickOne() func(mid, kind string) peer.Stream {
	taken := make(map[string]string, 2)
	return func(mid, kind string) peer.Stream {
		if first, ok := taken[kind]; ok && first != mid {
			return nil
		}
		taken[kind] = mid
		return c.stream(kind)
	}
}
