package cli

import (
	"context"
	"errors"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/codecs"
)

const probeTimeout = 15 * time.Second

// wantsPassword connects once and reports whether the camera refused the user.
// Whatever else is wrong is for the supervisor to tell.
func wantsPassword(ctx context.Context, s camera.Source) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := s.Run(ctx, &probe{cancel})
	refused, ok := errors.AsType[*rtsp.Error](err)
	return ok && refused.Reason == rtsp.WrongPassword
}

// probe ends a connection as soon as it stands.
type probe struct{ cancel context.CancelFunc }

// SetTracks implements camera.Output.
func (p *probe) SetTracks([]codecs.Track) { p.cancel() }

// WriteUnit implements camera.Output.
func (p *probe) WriteUnit(*codecs.Unit) { p.cancel() }

// Warn implements camera.Output.
func (p *probe) Warn(string, string) {}
