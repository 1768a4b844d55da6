package camera

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Options describe a Camera. ID and Main are required.
type Options struct {
	// ID names the camera in URLs and messages.
	ID string
	// Name is what people see. Default: ID.
	Name string
	// Main is the source of the best rendition.
	Main Source
	// Sub is the source of a smaller rendition of the same picture, for
	// viewers with a slow link; nil if there is none.
	Sub Source
	// TestPattern marks a test picture whose stamp viewers can read.
	TestPattern bool
	// Signer makes what signs the video of a rendition, before anybody sees it; 0 is
	// Main, 1 is Sub. nil signs nothing.
	Signer func(rendition int) Signer
	// Supervisor tunes how both sources are kept connected. Its Name is set
	// from ID.
	Supervisor SupervisorOptions
	// Hub bounds the cache of each rendition.
	Hub HubOptions
}

// Camera is a camera that people can watch: one or two renditions, each kept
// connected by a Supervisor and fanned out by a Hub. Safe for concurrent use.
type Camera struct {
	// Constant after construction.
	id, name    string
	testPattern bool
	renditions  []*rendition // best first

	mu       sync.Mutex // guards what follows
	watchers map[chan struct{}]struct{}
}

// New returns a camera that does nothing before Run.
func New(o Options) (*Camera, error) {
	if o.ID == "" {
		return nil, errors.New("make a camera: it has no id")
	}
	if o.Main == nil {
		return nil, fmt.Errorf("make camera %s: it has no source", o.ID)
	}
	if o.Name == "" {
		o.Name = o.ID
	}
	c := &Camera{id: o.ID, name: o.Name, testPattern: o.TestPattern, watchers: make(map[chan struct{}]struct{})}
	o.Supervisor.Name = o.ID
	c.renditions = append(c.renditions, newRendition(o.Main, 0, o, c.notify))
	if o.Sub != nil {
		o.Supervisor.Name = o.ID + "/sub"
		c.renditions = append(c.renditions, newRendition(o.Sub, 1, o, c.notify))
	}
	return c, nil
}

// Run keeps all renditions connected until ctx ends, then closes the hubs, so
// that every subscription ends, and returns ctx's error. Call it once.
func (c *Camera) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, r := range c.renditions {
		wg.Go(func() { _ = r.supervisor.Run(ctx) }) // only ever ctx's error
		wg.Go(func() { c.forward(ctx, r.supervisor) })
	}
	wg.Wait()
	for _, r := range c.renditions {
		r.close()
	}
	return ctx.Err()
}

// forward tells the camera's watchers what the supervisor tells its own.
func (c *Camera) forward(ctx context.Context, s *Supervisor) {
	statuses, stop := s.Watch()
	defer stop()
	for {
		select {
		case <-statuses:
			c.notify()
		case <-ctx.Done():
			return
		}
	}
}

// ID names the camera in URLs and messages.
func (c *Camera) ID() string { return c.id }

// Name is what people see.
func (c *Camera) Name() string { return c.name }

// TestPattern reports whether the picture carries a stamp.
func (c *Camera) TestPattern() bool { return c.testPattern }

// Renditions returns how many renditions there are: 1 or 2, best first.
func (c *Camera) Renditions() int { return len(c.renditions) }

// Hub returns the fan-out of a rendition, 0 to Renditions()-1.
func (c *Camera) Hub(rendition int) *Hub { return c.renditions[rendition].hub }

// Status returns how the main rendition stands.
func (c *Camera) Status() Status { return c.renditions[0].supervisor.Status() }

// RenditionStatus returns how a rendition stands.
func (c *Camera) RenditionStatus(rendition int) Status {
	return c.renditions[rendition].supervisor.Status()
}

// RequestKeyFrame asks the camera for a key frame of a rendition, where it can
// be asked. It does not block.
func (c *Camera) RequestKeyFrame(rendition int) {
	c.renditions[rendition].supervisor.RequestKeyFrame()
}

// Units returns how many units all renditions have delivered.
func (c *Camera) Units() uint64 {
	var n uint64
	for _, r := range c.renditions {
		n += r.units.Load()
	}
	return n
}

// Viewers returns the number of open video subscriptions of all renditions.
func (c *Camera) Viewers() int {
	n := 0
	for _, r := range c.renditions {
		n += r.hub.Subscribers()
	}
	return n
}

// Watch returns a channel of capacity 1 that is signalled after the status or
// the tracks of a rendition changed. stop releases it.
func (c *Camera) Watch() (changed <-chan struct{}, stop func()) {
	w := make(chan struct{}, 1)
	c.mu.Lock()
	c.watchers[w] = struct{}{}
	c.mu.Unlock()
	return w, func() {
		c.mu.Lock()
		delete(c.watchers, w)
		c.mu.Unlock()
	}
}

func (c *Camera) notify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}
