package agent

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sightline-cam/sightline/internal/trust"
)

// ExtraHandler answers a request. p is who asks, as it stands at this moment; nil
// where that is not known, see ExtraRoute.Public.
type ExtraHandler = func(w http.ResponseWriter, r *http.Request, p *trust.Principal)

// ExtraRoute is a path that the process adds to the agent's API. The same stands
// before it as before the agent's own: host, origin, allowances, limits, metrics,
// and that somebody has any access at all. What that somebody may do here, the
// handler decides by p.
type ExtraRoute struct {
	// Pattern is one of http.ServeMux without method: "/v1/recordings/{camera}/days".
	// The path may be one of the agent's, with other methods.
	Pattern string
	// Listener, Channel and Console say over which ways it is served: the own
	// listener, the data channels of sessions, the console's socket.
	Listener, Channel, Console bool
	// Public says that requests on the own listener carry a token that the handler
	// checks; p is nil for them.
	Public bool
	// Changes says that methods other than GET and HEAD write to the disk or to the
	// access log: one peer may do so only now and then.
	Changes bool
	// Long says that answers may take long. They do not count against the requests
	// that may be under way, so that nothing else waits for them, but have a limit
	// of their own, for each peer and in all.
	Long bool
	// Methods are the handlers by method. OPTIONS is not possible.
	Methods map[string]ExtraHandler
}

// check finds mistakes of the program.
func (e *ExtraRoute) check() error {
	switch {
	case !strings.HasPrefix(e.Pattern, "/") || strings.ContainsAny(e.Pattern, " \t"):
		return fmt.Errorf("extra route %q: the pattern is a path", e.Pattern)
	case !e.Listener && !e.Channel && !e.Console:
		return fmt.Errorf("extra route %s: it is served nowhere", e.Pattern)
	case len(e.Methods) == 0:
		return fmt.Errorf("extra route %s: it has no methods", e.Pattern)
	}
	if _, ok := e.Methods[http.MethodOptions]; ok {
		return errors.New("extra route " + e.Pattern + ": nobody is authorized for OPTIONS")
	}
	return nil
}
