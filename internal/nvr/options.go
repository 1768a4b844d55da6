package nvr

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/trust"
)

// Options configure an NVR. StateDir, Recording.Dirs and Standing are required.
type Options struct {
	// StateDir is the folder of the index and the token for events.
	StateDir string
	// Recording says where, and for how long.
	Recording config.Recording
	// Cameras are those of this process.
	Cameras []Camera
	// Remotes are agents elsewhere whose cameras are recorded too. Default: none.
	Remotes []Remote
	// Memory is what is remembered of them. Default: RemotesFile in StateDir.
	Memory *RemoteMemory
	// OnCamera is told the id here of each of their cameras once it is known, also
	// before Open returns. It must not block. Default: nobody is.
	OnCamera func(id string)
	// Standing returns what is left of somebody's access; see playback.Options.
	Standing func(*trust.Principal) (*trust.Principal, error)
	// CameFrom says where a request came from. Default: its address.
	CameFrom func(*http.Request) string
	// Log takes who changed what. Default: none is kept.
	Log *accesslog.Log
	// Version is written into the files. Default "dev".
	Version string
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

// Camera is a camera to record, and how.
type Camera struct {
	*camera.Camera
	Settings config.CameraRecording
	// Signed says that its pictures are signed.
	Signed bool
	// Origin is the PeerID of the agent that has the camera; empty for one of this
	// process.
	Origin string
}

func (o *Options) setDefaults() error {
	switch {
	case o.StateDir == "":
		return errors.New("a recorder needs a state folder")
	case len(o.Recording.Dirs) == 0:
		return errors.New("there is no folder for recordings; name one with --dir, or in recording.dirs")
	case o.Standing == nil:
		return errors.New("a recorder needs to know who may see what it has")
	}
	if o.OnCamera == nil {
		o.OnCamera = func(string) {}
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}
