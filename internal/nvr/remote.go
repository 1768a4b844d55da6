package nvr

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/recordings/recorder"
	"github.com/sightline-cam/sightline/recordings/remote"
)

// Remote is an agent elsewhere whose cameras are recorded. Peer and Dial are
// required.
type Remote struct {
	// Peer is the agent.
	Peer identity.PeerID
	// Name goes before the names of its cameras, Prefix before their ids. Default:
	// nothing.
	Name, Prefix string
	// Cameras are the ids of those to record, as the agent names them. Default: all.
	Cameras []string
	// Settings say how.
	Settings config.CameraRecording
	// Dial connects to the agent. An error that wraps a *viewer.RejectedError, or a
	// *viewer.APIError, says that the agent has refused this recorder; others that it
	// cannot be reached.
	Dial func(ctx context.Context, w remote.Want) (remote.Session, error)
}

// title names the agent in log lines.
func (r *Remote) title() string {
	if r.Name != "" {
		return r.Name
	}
	return r.Peer.Short()
}

// wants reports whether a camera is to be recorded, by the agent's id.
func (r *Remote) wants(camera string) bool {
	return len(r.Cameras) == 0 || slices.Contains(r.Cameras, camera)
}

// cameraName is what people here call a camera that the agent calls name.
func (r *Remote) cameraName(name, id string) string {
	if name == "" {
		name = id
	}
	if r.Name != "" {
		return r.Name + ": " + name
	}
	return name
}

// policy is what its cameras are recorded by.
func (r *Remote) policy() (recorder.Policy, error) {
	p, err := policyOf(r.Settings)
	if err != nil {
		return p, fmt.Errorf("remote %s: %w", r.title(), err)
	}
	return p, nil
}

func checkRemotes(remotes []Remote) error {
	seen := make(map[identity.PeerID]bool, len(remotes))
	for i := range remotes {
		r := &remotes[i]
		switch {
		case r.Dial == nil || r.Peer.Validate() != nil:
			return errors.New("an agent elsewhere needs an id and a way to it")
		case seen[r.Peer]:
			return fmt.Errorf("the agent %s is named twice; name it once, with all its cameras", r.Peer.Short())
		}
		seen[r.Peer] = true
	}
	return nil
}
