package playback

import (
	"net/http"

	"github.com/sightline-cam/sightline/internal/trust"
)

// Handler answers a request. p is who asks; nil on a Public route where that is
// not known.
type Handler = func(w http.ResponseWriter, r *http.Request, p *trust.Principal)

// Route is one path of the API. It has the fields of camera/agent's ExtraRoute, in
// the same order, so that one can be converted into the other.
type Route struct {
	// Pattern is one of http.ServeMux, without method.
	Pattern string
	// Listener, Channel and Console say over which ways it is served.
	Listener, Channel, Console bool
	// Public says that whoever asks on the listener shows a token that the handler
	// checks; p is nil then.
	Public bool
	// Changes says that methods other than GET and HEAD write to the disk.
	Changes bool
	// Long says that answers may take long.
	Long bool
	// Methods are the handlers by method.
	Methods map[string]Handler
}
