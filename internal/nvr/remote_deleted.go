package nvr

import (
	"context"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
)

// deleting is the store as what deletes old recordings has it: what was of other
// agents' cameras is not fetched again.
type deleting struct {
	*disk.Store
	remotes []*remoteAgent
}

// deleting returns the store for package retention.
func (n *NVR) deleting() deleting { return deleting{n.store, n.remotes} }

// Delete removes segments for good, and notes up to when.
func (d deleting) Delete(ctx context.Context, refs ...recordings.Ref) error {
	until := make(map[recordings.Stream]recordings.Time)
	for _, ref := range refs {
		for _, a := range d.remotes {
			if !a.has(ref.Camera) {
				continue
			}
			if seg, err := d.Segment(ctx, ref, false); err == nil { // else there is nothing of it
				until[ref.Stream] = max(until[ref.Stream], seg.End)
			}
		}
	}
	for stream, t := range until {
		for _, a := range d.remotes {
			a.deleted(stream, t)
		}
	}
	return d.Store.Delete(ctx, refs...)
}

// deletedStep is how much further recordings must have been deleted for that to be
// written down: a little that is fetched once more does no harm, and a full disk is
// made room on all the time.
const deletedStep = time.Minute

// deleted notes that a stream's recordings up to a time were deleted.
func (a *remoteAgent) deleted(s recordings.Stream, until recordings.Time) {
	a.mu.Lock()
	remote := ""
	for _, c := range a.cameras {
		if c.id == s.Camera {
			remote = c.remote
		}
	}
	a.mu.Unlock()
	if remote == "" {
		return
	}
	a.remember(remote, func(c *rememberedCamera) {
		if until.Sub(c.until(s.Rendition)) >= deletedStep {
			c.setUntil(s.Rendition, until)
		}
	})
}
