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
	case e.Public && e.Changes:
		return fmt.Errorf("extra route %s: changes are counted by peer, and a public route may not know it", e.Pattern)
	}
	if _, ok := e.Methods[http.MethodOptions]; ok {
		return errors.New("extra route " + e.Pattern + ": nobody is authorized for OPTIONS")
	}
	return nil
}

// extraRoutes returns what the process adds.
func (a *Agent) extraRoutes() []route {
	routes := make([]route, 0, len(a.opts.Extra))
	for _, e := range a.opts.Extra {
		rt := route{path: e.Pattern, to: forViewers, methods: make(methods, len(e.Methods)), changes: e.Changes, long: e.Long}
		if e.Public {
			rt.to = forTokens
		}
		for over, served := range map[transport]bool{overListener: e.Listener, overChannel: e.Channel, overConsole: e.Console} {
			if served {
				rt.over |= over
			}
		}
		for method, h := range e.Methods {
			rt.methods[method] = func(w http.ResponseWriter, r *http.Request) { h(w, r, principalOf(r)) }
		}
		routes = append(routes, rt)
	}
	return routes
}

// checkExtra finds a method that two routes have.
func (a *Agent) checkExtra() error {
	seen := make(map[string]bool)
	for _, rt := range a.routes() {
		for method := range rt.methods {
			name := method + " " + rt.path
			if seen[name] {
				return errors.New("extra route " + name + ": there is one already")
			}
			seen[name] = true
		}
	}
	return nil
}

// CameFrom says, for the access log, where a request came from that an extra route
// answers: the address of the session's other side, "console", or the address of
// the connection.
func CameFrom(r *http.Request) string {
	if s := sessionOf(r); s != nil {
		return s.address()
	}
	if p := principalOf(r); p != nil && p.Role == trust.RoleConsole {
		return "console"
	}
	return r.RemoteAddr
}

// Standing returns what tells, of somebody who had access, what is left of it, and
// an error if nothing is. Unlike t it puts up with a list of allowed viewers that
// is just being written, as the agent does for sessions. l may be nil.
func Standing(t *trust.Trust, l *AllowList) func(*trust.Principal) (*trust.Principal, error) {
	if l == nil {
		return t.Renew
	}
	return (&gate{trust: t, list: l}).standing
}
