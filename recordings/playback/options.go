package playback

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/sightline-cam/sightline/internal/trust"
)

// Options configure an API. Library and Standing are required.
type Options struct {
	// Library is what there is.
	Library Library
	// Standing returns what somebody may do now who could do something when the
	// request began; an error if nothing is left. It is asked again while long
	// answers are sent, and must not block: camera/agent's Standing, or the method
	// Renew of a *trust.Trust.
	Standing func(*trust.Principal) (*trust.Principal, error)
	// Cameras returns those that are recorded, in the order in which people are shown
	// them. It must not block. Others that there are recordings of come after them.
	// Default: none.
	Cameras func() []Camera
	// IsNotFound says whether an error of the library means that there is no such
	// thing. Default: errors.Is(err, fs.ErrNotExist).
	IsNotFound func(error) bool
	// EventToken is a secret with which sensors and scripts report events on the own
	// listener, at least 16 characters. It is called for each such request. Default:
	// none, then they cannot.
	EventToken func() string
	// Journal takes what somebody changed, for the access log. It must not block.
	// Default: nothing.
	Journal func(Change)
	// CameFrom says where a request came from, for Journal. Default: RemoteAddr.
	CameFrom func(*http.Request) string
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

func (o *Options) setDefaults() error {
	if o.Library == nil || o.Standing == nil {
		return errors.New("playback needs a library, and to know who may see it")
	}
	if o.Cameras == nil {
		o.Cameras = func() []Camera { return nil }
	}
	if o.IsNotFound == nil {
		o.IsNotFound = func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	}
	if o.EventToken == nil {
		o.EventToken = func() string { return "" }
	}
	if o.Journal == nil {
		o.Journal = func(Change) {}
	}
	if o.CameFrom == nil {
		o.CameFrom = func(r *http.Request) string { return r.RemoteAddr }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}
