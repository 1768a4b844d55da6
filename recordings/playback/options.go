package playback

import (
	"log/slog"

	"github.com/sightline-cam/sightline/internal/trust"
)

// Options configure an API. Library and Authorizer are required.
type Options struct {
	// Library is what there is.
	Library Library
	// Authorizer says whether somebody still has access: a *trust.Trust.
	Authorizer Authorizer
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

// Authorizer says what somebody may do now who could do something before; an error
// if nothing is left.
type Authorizer interface {
	Renew(p *trust.Principal) (*trust.Principal, error)
}
