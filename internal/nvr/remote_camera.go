package nvr

import (
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/camera"
)

// remoteCamera is a camera of another agent. Guarded by its agent's mutex, but for
// what is constant.
type remoteCamera struct {
	// Constant after construction.
	id, remote string // here, and at the agent
	source     *remoteSource

	name        string // what people here call it
	testPattern bool
	published   bool // it can be watched live here
	gone        bool // the agent did not list it the last time
}

// watchable makes the camera that people watch live here. It is not signed: its
// pictures come signed.
func (c *remoteCamera) watchable(log *slog.Logger) (*camera.Camera, error) {
	return camera.New(camera.Options{
		ID: c.id, Name: c.name, Main: c.source, TestPattern: c.testPattern,
		Supervisor: camera.SupervisorOptions{
			// Whoever looks for the agent backs off; this only asks how that went.
			MinBackoff: liveAgain, MaxBackoff: liveAgainMost, Logger: log,
		},
	})
}

// How soon the live picture is asked for again when the connection with the agent
// ended.
const (
	liveAgain     = 500 * time.Millisecond
	liveAgainMost = 3 * time.Second
)
