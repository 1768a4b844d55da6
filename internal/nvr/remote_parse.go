package nvr

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/signaling"
)

// parseRemotes reads the file of remembered agents. One that this program could not
// have written is refused as a whole.
func parseRemotes(data []byte) ([]rememberedAgent, error) {
	if len(data) > maxRemotesFile {
		return nil, fmt.Errorf("more than %d bytes", maxRemotesFile)
	}
	var f remotesFile
	if err := strictjson.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.Version != remotesVersion {
		return nil, fmt.Errorf("version %d, and this program reads %d", f.Version, remotesVersion)
	}
	if len(f.Agents) > maxRemoteAgents {
		return nil, fmt.Errorf("more than %d agents", maxRemoteAgents)
	}
	peers, locals := make(map[identity.PeerID]bool, len(f.Agents)), make(map[string]bool)
	for _, a := range f.Agents {
		if err := a.Peer.Validate(); err != nil {
			return nil, err
		}
		if peers[a.Peer] {
			return nil, errors.New("an agent stands twice in it")
		}
		peers[a.Peer] = true
		if err := a.validate(locals); err != nil {
			return nil, fmt.Errorf("agent %s: %w", a.Peer.Short(), err)
		}
	}
	return f.Agents, nil
}

// validate checks one agent; locals are the ids that are taken.
func (a *rememberedAgent) validate(locals map[string]bool) error {
	if len(a.Cameras) > maxRemoteCameras || len(a.Claimed) > maxClaims {
		return errors.New("too many cameras or claims")
	}
	for _, c := range a.Claimed {
		if len(c) != len(claimHash("")) {
			return errors.New("a claim has no hash")
		}
	}
	ids := make(map[string]bool, len(a.Cameras))
	for i := range a.Cameras {
		c := &a.Cameras[i]
		switch {
		case c.ID == "" || len(c.ID) > signaling.MaxCameraID || ids[c.ID]:
			return errors.New("a camera's id is missing, too long, or there twice")
		case signaling.ValidateCameraID(c.Local) != nil || locals[c.Local]:
			return errors.New("a camera's id here is none, or there twice")
		case c.Name != printableName(c.Name):
			return errors.New("a camera's name cannot be shown")
		case len(c.Deleted) > maxRemoteRenditions:
			return errors.New("a camera has too many renditions")
		}
		for _, d := range c.Deleted {
			if d.Rendition != recordings.Main && d.Rendition != recordings.Sub {
				return errors.New("there is no such rendition")
			}
		}
		ids[c.ID], locals[c.Local] = true, true
	}
	return nil
}

// printableName makes of what an agent calls its camera what can be shown.
func printableName(name string) string {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "")
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name))
	if runes := []rune(name); len(runes) > maxRemoteName {
		name = strings.TrimSpace(string(runes[:maxRemoteName]))
	}
	return name
}
