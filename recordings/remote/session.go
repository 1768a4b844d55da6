package remote

import (
	"context"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/viewer"
)

// maxCameras is how many cameras one session carries.
const maxCameras = 16

// Want says what a session is for.
type Want struct {
	// Cameras are at most 16; none: only the HTTP API is used.
	Cameras []string
	// Sound asks for the cameras' sound.
	Sound bool
	// Patience is viewer.Options.Patience.
	Patience time.Duration
}

// Session is a connection to an agent: a *viewer.Session.
type Session interface {
	// Cameras are those that may be seen.
	Cameras(ctx context.Context) ([]viewer.Camera, error)
	// ReadFrame returns the next frame of any camera; after the end an error.
	ReadFrame(ctx context.Context) (viewer.Frame, error)
	// HTTP reaches the agent's API at viewer.BaseURL.
	HTTP() *http.Client
	// RequestKeyFrame asks all cameras for one.
	RequestKeyFrame()
	// Done is closed at the end, Err says why.
	Done() <-chan struct{}
	Err() error
	Close() error
}

var _ Session = (*viewer.Session)(nil)

// DialViewer returns an Options.Dial. options says how to reach the agent and who
// dials; it is asked each time, for tickets and grants change. opened, if it is not
// nil, is told of every session on a goroutine of its own and gets a context that
// ends with it: to keep a new ticket, without which an agent cannot be dialled while
// the signaling service is away.
func DialViewer(options func() viewer.Options, opened func(context.Context, *viewer.Session)) func(context.Context, Want) (Session, error) {
	return func(ctx context.Context, w Want) (Session, error) {
		o := options()
		o.Cameras, o.NoMedia, o.NoAudio, o.Patience = w.Cameras, len(w.Cameras) == 0, !w.Sound, w.Patience
		s, err := viewer.Dial(ctx, o)
		if err != nil {
			return nil, err
		}
		if opened == nil {
			return s, nil
		}
		life, cancel := context.WithCancel(context.WithoutCancel(ctx))
		d := &dialled{Session: s, cancel: cancel, told: make(chan struct{})}
		go func() {
			defer close(d.told)
			opened(life, s)
		}()
		return d, nil
	}
}

// dialled is a session that somebody was told of.
type dialled struct {
	*viewer.Session
	cancel context.CancelFunc
	told   chan struct{}
}

// Close implements Session.
func (d *dialled) Close() error {
	d.cancel()
	err := d.Session.Close()
	<-d.told
	return err
}
