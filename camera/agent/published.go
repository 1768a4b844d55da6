package agent

import (
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/internal/trust"
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
	spool *spool.Spool // nil if nothing is kept
}

func publish(cameras []*camera.Camera, keep func(*camera.Camera) *spool.Spool) *published {
	p := &published{byID: make(map[string]*publishedCamera, len(cameras))}
	for _, c := range cameras {
		pc := &publishedCamera{Camera: c, video: &videoStream{c}, audio: &audioStream{c}, spool: keep(c)}
		p.order = append(p.order, pc)
		p.byID[c.ID()] = pc
	}
	return p
}

// visible returns the cameras that a principal may see at all, in order.
func (p *published) visible(to *trust.Principal) []*publishedCamera {
	ids := make([]string, 0, len(p.order))
	for _, c := range p.order {
		ids = append(ids, c.ID())
	}
	seen := to.Cameras(ids)
	out := make([]*publishedCamera, 0, len(seen))
	for _, c := range p.order {
		if slices.Contains(seen, c.ID()) {
			out = append(out, c)
		}
	}
	return out
}

// find returns the camera of that id; "" is the first that may be watched.
// Whether there is one is said only to those who might watch it.
func (p *published) find(id string, may func(camera string) error) (*publishedCamera, error) {
	if id != "" {
		if err := may(id); err != nil {
			return nil, err
		}
		if c, ok := p.byID[id]; ok {
			return c, nil
		}
		return nil, &noCameraError{id}
	}
	var err error
	for _, c := range p.order {
		if err = may(c.ID()); err == nil {
			return c, nil
		}
	}
	if err == nil {
		err = &noCameraError{}
	}
	return nil, err
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

// noCameraError names a camera that an offer asked for and nobody has; empty for the
// first one, where there is none at all.
type noCameraError struct{ id string }

func (e *noCameraError) Error() string {
	if e.id == "" {
		return "There is no camera here yet."
	}
	return fmt.Sprintf("There is no camera %q here.", e.id)
}

// pick returns the choice of streams for an offer that names its cameras; one
// that names none gets the first that it may watch. may says whether one may be
// watched. The error is may's, or a *noCameraError.
func (p *published) pick(media []signaling.Media, may func(camera string) error) (func(mid, kind string) peer.Stream, error) {
	byMID := make(map[string]*publishedCamera, len(media))
	for _, m := range media {
		c, err := p.find(m.Camera, may)
		if err != nil {
			return nil, err
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
