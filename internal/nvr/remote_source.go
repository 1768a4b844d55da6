package nvr

import (
	"context"
	"errors"
	"sync"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/recordings/remote"
)

// remoteSource is the live picture of a camera of another agent, also before that
// agent was reached. Safe for concurrent use.
type remoteSource struct {
	mu      sync.Mutex
	camera  *remote.Camera // nil before
	reason  string         // why there is none; empty while the first attempt runs
	changed chan struct{}  // closed and replaced when either changes
}

var (
	_ camera.Source            = (*remoteSource)(nil)
	_ camera.KeyFrameRequester = (*remoteSource)(nil)
)

func newRemoteSource() *remoteSource { return &remoteSource{changed: make(chan struct{})} }

// set says what camera it is.
func (s *remoteSource) set(c *remote.Camera) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.camera != c {
		s.camera = c
		s.tellLocked()
	}
}

// fail says why the agent has not been reached.
func (s *remoteSource) fail(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason != reason {
		s.reason = reason
		s.tellLocked()
	}
}

func (s *remoteSource) tellLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Run implements camera.Source.
func (s *remoteSource) Run(ctx context.Context, out camera.Output) error {
	for {
		s.mu.Lock()
		c, reason, changed := s.camera, s.reason, s.changed
		s.mu.Unlock()
		switch {
		case c != nil:
			return c.Run(ctx, out)
		case reason != "":
			return errors.New(reason)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// RequestKeyFrame implements camera.KeyFrameRequester.
func (s *remoteSource) RequestKeyFrame() {
	s.mu.Lock()
	c := s.camera
	s.mu.Unlock()
	if c != nil {
		c.RequestKeyFrame()
	}
}
