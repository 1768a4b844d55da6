package nvr

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/recordings/playback"
	"github.com/sightline-cam/sightline/recordings/remote"
)

// firstList is how long an agent of which nothing is known yet is waited for.
const firstList = 10 * time.Second

// dialAgain is the longest pause between two attempts to reach an agent: what it keeps
// in memory may be of some seconds only.
const dialAgain = 5 * time.Second

// openRemotes takes up the agents elsewhere. It does not connect to them.
func (n *NVR) openRemotes(ctx context.Context) error {
	o := &n.opts
	if err := checkRemotes(o.Remotes); err != nil {
		return err
	}
	log := o.Logger.With("part", "remote")
	n.memory = o.Memory
	if n.memory == nil {
		var err error
		n.memory, err = OpenRemoteMemory(filepath.Join(o.StateDir, RemotesFile))
		if damaged, ok := errors.AsType[*DamagedRemotesError](err); ok {
			log.Warn("the cameras of other agents may get other ids", "error", damaged)
		} else if err != nil {
			return err
		}
	}
	ids, err := n.idsTaken(ctx)
	if err != nil {
		return err
	}
	for i := range o.Remotes {
		r := o.Remotes[i]
		if r.Settings.Off {
			log.Info("the settings say that this agent's cameras are not recorded", "agent", r.title())
			continue
		}
		a, err := newRemoteAgent(r, &remoteAgent{memory: n.memory, ids: ids, onCamera: o.OnCamera, log: log}, remote.Options{
			MaxBackoff: dialAgain, Store: library{n.store}, SegmentDuration: o.Recording.SegmentDuration.Std(), Writer: "sightline " + o.Version, CauseOf: causeOf,
		})
		if err != nil {
			return fmt.Errorf("record the cameras of %s: %w", r.title(), err)
		}
		n.remotes = append(n.remotes, a)
	}
	return nil
}

// idsTaken returns which ids other agents' cameras must not get: those of cameras of
// this process, and those under which something is recorded, of former cameras and of
// other agents'. Whoever may see that would see the new camera, and what is recorded
// of the two could not be told apart.
func (n *NVR) idsTaken(ctx context.Context) (*localIDs, error) {
	streams, err := n.store.Streams(ctx)
	if err != nil {
		return nil, fmt.Errorf("look whose cameras are recorded: %w", err)
	}
	recorded := make(map[string]bool)
	for _, s := range streams {
		recorded[s.Camera] = true
	}
	for i := range n.opts.Remotes {
		if err := n.memory.forget(n.opts.Remotes[i].Peer, recorded); err != nil {
			return nil, err
		}
	}
	ids := &localIDs{taken: make(map[string]bool), reserved: n.memory.locals()}
	for _, c := range n.opts.Cameras {
		ids.taken[c.ID()] = true // also where an agent's camera had it before
	}
	for id := range recorded {
		if _, remote := ids.reserved[id]; !remote {
			ids.taken[id] = true
		}
	}
	return ids, nil
}

// runRemotes records the cameras of other agents until ctx ends.
func (n *NVR) runRemotes(ctx context.Context) {
	var running sync.WaitGroup
	for _, a := range n.remotes {
		running.Go(func() { a.run(ctx) })
	}
	running.Wait()
}

// storeSync is how often the store has to sync by itself: what comes from other
// agents is written without anybody who does.
func (n *NVR) storeSync() time.Duration {
	if len(n.opts.Remotes) == 0 {
		return 0
	}
	if d := n.opts.Recording.SyncEvery.Std(); d > 0 {
		return d
	}
	return time.Second
}

// PublishRemotes returns the cameras of other agents for people to watch live here:
// those that are remembered, and of agents of which nothing is known yet those that
// they list within some seconds. Run must have been called. Call it once: what
// becomes known later is recorded, and published at the next start.
func (n *NVR) PublishRemotes(ctx context.Context) ([]*camera.Camera, error) {
	wait, cancel := context.WithTimeout(ctx, firstList)
	defer cancel()
	for _, a := range n.remotes {
		a.mu.Lock()
		known := len(a.cameras) > 0
		a.mu.Unlock()
		if known {
			continue
		}
		a.log.Info("asking the agent for its cameras")
		select {
		case <-a.answered:
		case <-wait.Done():
			if ctx.Err() == nil {
				a.log.Warn("the agent was not reached so far; its cameras are recorded as soon as it is, and can be watched live here after the next start of this recorder")
			}
		}
	}
	var out []*camera.Camera
	for _, a := range n.remotes {
		cameras, err := a.publish()
		if err != nil {
			return nil, err
		}
		out = append(out, cameras...)
	}
	return out, nil
}

// remoteSettings returns how a camera of another agent is recorded, by its id here.
func (n *NVR) remoteSettings(id string) (config.CameraRecording, bool) {
	for _, a := range n.remotes {
		if a.has(id) {
			return a.opts.Settings, true
		}
	}
	return config.CameraRecording{}, false
}

// has reports whether a camera is the agent's, by its id here.
func (a *remoteAgent) has(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.cameras {
		if c.id == id {
			return true
		}
	}
	return false
}

// remoteCameras tells playback how the cameras of other agents stand.
func (n *NVR) remoteCameras() []playback.Camera {
	var out []playback.Camera
	now := time.Now()
	for _, a := range n.remotes {
		out = append(out, a.views(now, n.store.Paused)...)
	}
	return out
}
