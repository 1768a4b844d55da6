package remote

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/viewer"
)

// Camera is a camera of another agent. It is a camera.Source, so that it can be
// watched here as well: by what comes live, as it comes. Safe for concurrent use.
type Camera struct {
	// Constant after construction.
	id, remote, name string
	testPattern      bool

	mu      sync.Mutex
	session Session       // nil while there is none
	reason  string        // why there is none; empty while the first attempt runs
	changed chan struct{} // closed and replaced when either changes
	out     *output       // nil while nobody runs the source
	asked   time.Time     // when a key frame was asked for
}

var (
	_ camera.Source            = (*Camera)(nil)
	_ camera.KeyFrameRequester = (*Camera)(nil)
)

func newCamera(id string, c viewer.Camera) *Camera {
	name := c.Name
	if name == "" {
		name = c.ID
	}
	name = shortName(name)
	return &Camera{id: id, remote: c.ID, name: name, testPattern: c.TestPattern, changed: make(chan struct{})}
}

// maxName is how many bytes of a camera's name are kept.
const maxName = 200

// shortName makes of a name what can be shown, and is not long.
func shortName(name string) string {
	name = strings.ToValidUTF8(name[:min(len(name), maxName)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name))
}

// ID is the camera's id here, Remote the agent's.
func (c *Camera) ID() string { return c.id }

// Remote is the id that the agent has for the camera.
func (c *Camera) Remote() string { return c.remote }

// Name is what people call the camera.
func (c *Camera) Name() string { return c.name }

// TestPattern reports whether the picture carries a stamp.
func (c *Camera) TestPattern() bool { return c.testPattern }

// errRunning says that a source is used twice.
var errRunning = errors.New("the remote camera is shown already")

// Run implements camera.Source: it hands on what comes live until the session with
// the agent ends.
func (c *Camera) Run(ctx context.Context, out camera.Output) error {
	session, err := c.await(ctx)
	if err != nil {
		return err
	}
	o := &output{to: out}
	c.mu.Lock()
	if c.out != nil {
		c.mu.Unlock()
		return errRunning
	}
	c.out = o
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.out = nil
		c.mu.Unlock()
		o.close() // nothing is written after Run has returned
	}()
	session.RequestKeyFrame()
	select {
	case <-session.Done():
		return errors.New("the connection to the agent was lost") // why is in the log of whoever keeps it
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await returns the session, waiting while the first attempt to connect runs.
func (c *Camera) await(ctx context.Context) (Session, error) {
	for {
		c.mu.Lock()
		session, reason, changed := c.session, c.reason, c.changed
		c.mu.Unlock()
		switch {
		case session != nil:
			return session, nil
		case reason != "":
			return nil, errors.New(reason)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// RequestKeyFrame implements camera.KeyFrameRequester.
func (c *Camera) RequestKeyFrame() {
	const gap = 2 * time.Second
	c.mu.Lock()
	session := c.session
	if now := time.Now(); now.Sub(c.asked) < gap {
		session = nil
	} else {
		c.asked = now
	}
	c.mu.Unlock()
	if session != nil {
		session.RequestKeyFrame()
	}
}

// set says over which session the camera comes, or why over none.
func (c *Camera) set(s Session, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.reason = s, reason
	close(c.changed)
	c.changed = make(chan struct{})
}

// frame hands on what came live.
func (c *Camera) frame(f viewer.Frame) {
	c.mu.Lock()
	o := c.out
	c.mu.Unlock()
	if o != nil {
		o.frame(f)
	}
}
