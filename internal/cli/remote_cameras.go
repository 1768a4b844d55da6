package cli

import (
	"slices"
	"sync"
)

// cameraIDs are the cameras of a device, to which those of other agents come as they
// become known. Safe for concurrent use.
type cameraIDs struct {
	mu  sync.Mutex
	ids []string
}

func (c *cameraIDs) add(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.ids, id) {
		c.ids = append(slices.Clip(c.ids), id) // who has the list keeps it
	}
}

// all returns the ids. The slice must not be changed.
func (c *cameraIDs) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ids
}

// AddCamera makes known that the device has a further camera, so that its owners can
// give access to that one alone: one of another agent, which it records. Safe for
// concurrent use.
func (r *Prepared) AddCamera(id string) { r.device.cameras.add(id) }
