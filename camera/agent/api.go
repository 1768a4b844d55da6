package agent

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	conngate "github.com/sightline-cam/sightline/internal/gate"
	"github.com/sightline-cam/sightline/internal/trust"
)

// transport says which way a request comes.
type transport uint8

const (
	overListener transport = 1 << iota // the own listener
	overChannel                        // a session's data channels
	overConsole                        // the console's Unix socket
)

// String names the transport in metrics.
func (t transport) String() string {
	switch t {
	case overListener:
		return "listener"
	case overChannel:
		return "channel"
	case overConsole:
		return "console"
	}
	return "unknown"
}

// audience is who a route answers at all. Which cameras, and whose business it
// is beyond that, its handler asks the gate.
type audience uint8

const (
	forAnyone  audience = iota // without authorization
	forViewers                 // who has any access
	forAdmins                  // who may see who has access
	forLists                   // those, and who disputes an access list
	forClaims                  // who came to show a secret, and nobody else
	forPlayers                 // WHEP: by token
	forTokens                  // on the listener whoever has a token of the handler's; elsewhere as forViewers
)

// route is one path of the API. docs/openapi.yaml has the same list; a test
// holds the two together.
type route struct {
	path    string // pattern of http.ServeMux, without method
	over    transport
	to      audience
	methods methods
	// See ExtraRoute.
	changes, long bool
}

// routes returns the API. What is not here is the fallback's.
func (a *Agent) routes() []route {
	const (
		both    = overListener | overChannel
		remotes = overChannel | overConsole
	)
	get := func(h http.HandlerFunc) methods { return methods{http.MethodGet: h} }
	post := func(h http.HandlerFunc) methods { return methods{http.MethodPost: h} }
	routes := []route{
		{path: "/v1/cameras", over: both | overConsole, to: forViewers, methods: get(a.getCameras)},
		{path: "/v1/cameras/{id}/fragments", over: both, to: forViewers, methods: get(a.getFragments), long: true},
		{path: "/v1/cameras/{id}/fragments/{seq}", over: both, to: forViewers, methods: get(a.getFragment), long: true},
		{path: "/v1/events", over: both, to: forViewers, methods: get(a.getEvents)},
		{path: "/v1/time", over: both, to: forViewers, methods: get(a.getTime)},
		{path: "/v1/me", over: both, to: forViewers, methods: get(a.getMe)},
		{path: "/v1/session", over: overChannel, to: forViewers, methods: get(a.getSession)},
		{path: "/v1/session/offer", over: overChannel, to: forViewers, methods: post(a.postSessionOffer)},
		{path: "/v1/ice", over: remotes, to: forViewers, methods: get(a.getICE)},
		{path: "/v1/network", over: remotes, to: forViewers, methods: get(a.getNetwork)},
		{path: "/v1/tickets", over: overChannel, to: forViewers, methods: post(a.postTicket)},
		{path: "/v1/claim", over: overChannel, to: forClaims, methods: post(a.postClaim)},
		{path: "/v1/access", over: remotes, to: forLists, methods: methods{http.MethodGet: a.getAccess, http.MethodPut: a.putAccess}},
		{path: "/v1/access/log", over: remotes, to: forAdmins, methods: get(a.getAccessLog)},
		{path: "/v1/invites", over: overChannel, to: forViewers, methods: post(a.postInvite)},
		{path: "/v1/invites/{jti}", over: overChannel, to: forViewers, methods: methods{http.MethodDelete: a.deleteInvite}},
		{path: "/v1/whep-tokens", over: remotes, to: forViewers, methods: post(a.postWHEPToken)},
		{path: "/v1/qr", over: overChannel, to: forViewers, methods: post(a.postQR)},
		{path: "/v1/console/pair", over: overConsole, to: forAdmins, methods: post(a.postConsolePair)},
		{path: "/v1/console/invites", over: overConsole, to: forAdmins, methods: post(a.postConsoleInvite)},
		{path: "/v1/console/revoke", over: overConsole, to: forAdmins, methods: post(a.postConsoleRevoke)},
		{path: "/whep/{camera}", over: overListener, to: forPlayers, methods: methods{http.MethodPost: a.postWHEP, http.MethodOptions: a.optionsWHEP}},
		{path: "/whep/{camera}/{session}", over: overListener, to: forPlayers, methods: methods{
			http.MethodPatch: a.patchWHEP, http.MethodDelete: a.deleteWHEP, http.MethodOptions: a.optionsWHEPSession,
		}},
		{path: "/healthz", over: both | overConsole, to: forAnyone, methods: get(a.getHealth)},
		{path: "/metrics", over: overListener, to: forAnyone, methods: get(a.getMetrics)},
	}
	return append(routes, a.extraRoutes()...)
}

// methods are the handlers of a path.
type methods = map[string]http.HandlerFunc

// handler returns the API as it is served over t.
func (a *Agent) handler(t transport) http.Handler {
	mux := http.NewServeMux()
	byPath := make(map[string][]route)
	for _, r := range a.routes() {
		if r.over&t != 0 {
			byPath[r.path] = append(byPath[r.path], r)
		}
	}
	for path, routes := range byPath {
		mux.Handle(path, a.guarded(t, routes))
	}
	if t == overListener {
		mux.Handle("/", a.fallback())
	} else {
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound().write(w) })
	}
	return mux
}

func notFound() *apiError {
	return fail(http.StatusNotFound, "not_found", "There is nothing at this address.")
}

// fallback serves the page or the embedded signaling server. Those answer for
// themselves; only the host is checked here as well.
func (a *Agent) fallback() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.guard.host(r); err != nil {
			a.fail(w, err)
			return
		}
		a.opts.Fallback.ServeHTTP(w, r)
	})
}

// guarded puts everything around the routes of a path that keeps strangers and
// floods out.
func (a *Agent) guarded(t transport, routes []route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &statusWriter{ResponseWriter: w, metrics: a.metrics}
		defer func() { a.metrics.request(t, counted.code()) }()
		limit := a.requests
		if s := sessionOf(r); s != nil {
			limit = s.limit
		}
		if !limit.take() {
			tooMany().write(counted)
			return
		}
		give := sync.OnceFunc(limit.give)
		defer give()
		rt := routeFor(routes, r.Method)
		r, err := a.admit(t, rt, r)
		if err != nil {
			a.fail(counted, err)
			return
		}
		h, ok := rt.methods[r.Method]
		if !ok {
			counted.Header().Set("Allow", allowed(routes))
			fail(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take "+methodName(r.Method)+" requests.").write(counted)
			return
		}
		if rt.changes && r.Method != http.MethodGet && r.Method != http.MethodHead {
			if err := a.mayChange(r); err != nil {
				a.fail(counted, err)
				return
			}
		}
		if rt.long {
			leave, ok := a.downloads.enter(askerOf(r))
			if !ok {
				tooMany().write(counted)
				return
			}
			defer leave()
			give()
		}
		if !check.Off(check.Form) {
			r.Body = http.MaxBytesReader(counted, r.Body, maxBodyBytes)
		}
		h(counted, r)
	})
}

// routeFor returns the route of a path that takes a method, or else any.
func routeFor(routes []route, method string) route {
	for _, rt := range routes {
		if _, ok := rt.methods[method]; ok {
			return rt
		}
	}
	return routes[0]
}

// fail answers a request with an error, and counts it if a check refused it.
func (a *Agent) fail(w http.ResponseWriter, err *apiError) {
	a.metrics.refused(err)
	err.write(w)
}

// admit decides whether a request may be answered at all, and returns it with
// its principal and a body that counts against what its peer may send.
func (a *Agent) admit(t transport, rt route, r *http.Request) (*http.Request, *apiError) {
	if t == overListener {
		if err := a.guard.host(r); err != nil {
			return nil, err
		}
		if err := a.guard.origin(r); err != nil {
			return nil, err
		}
	}
	if rt.to == forAnyone {
		return r, nil
	}
	left := a.allow.of(time.Now(), askerOf(r))
	if err := within(left.requests, time.Now(), 1); err != nil {
		return nil, tooOften(err)
	}
	r.Body = &limitedBody{ReadCloser: r.Body, left: left.bytes}
	if r.Method == http.MethodOptions {
		return r, nil
	}
	if s := sessionOf(r); (s != nil && s.place == placeOfClaim) != (rt.to == forClaims) {
		return nil, fail(http.StatusForbidden, "forbidden", "This connection is for something else. Connect again.")
	} else if rt.to == forClaims {
		return r, nil
	}
	if rt.to == forTokens && t == overListener {
		return r, nil
	}
	p, err := a.principal(t, rt, r)
	if err != nil {
		return nil, err
	}
	if err := mayAsk(rt.to, p); err != nil {
		return nil, forbidden(err)
	}
	return r.WithContext(context.WithValue(r.Context(), principalContextKey{}, p)), nil
}

// mayAsk decides whether a principal is among those whom a route answers.
func mayAsk(to audience, p *trust.Principal) error {
	switch {
	case to == forLists && p.MayDispute():
		return nil
	case to == forLists, to == forAdmins:
		return p.Need(access.Admin, "")
	case p.Role == trust.RoleDisputing:
		return p.Need(access.Live, "") // it has no right at all
	}
	return nil
}

// principal finds out who a request comes from, and whether that still has
// access.
func (a *Agent) principal(t transport, rt route, r *http.Request) (*trust.Principal, *apiError) {
	switch {
	case t == overConsole:
		return a.gate.trust.Console(), nil
	case rt.to == forPlayers:
		return a.player(r)
	}
	return a.viewer(r)
}

// viewer finds out who is at the other end of a session, or of a connection
// where nothing can be proved, and whether that still has access.
func (a *Agent) viewer(r *http.Request) (*trust.Principal, *apiError) {
	s := sessionOf(r)
	if s == nil {
		return a.gate.anyone()
	}
	p, err := a.gate.renew(s.principal.Load())
	if err != nil {
		return nil, forbidden(err)
	}
	return p, nil
}

type principalContextKey struct{}

// principalOf returns who a request comes from, as admit found out.
func principalOf(r *http.Request) *trust.Principal {
	p, _ := r.Context().Value(principalContextKey{}).(*trust.Principal)
	return p
}

// askerOf names whose allowance a request counts against: the peer of its
// session, whichever one that is, or the address it comes from.
func askerOf(r *http.Request) string {
	if s := sessionOf(r); s != nil {
		return string(s.key.viewer)
	}
	if ip, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return conngate.Prefix(ip.Addr()).String()
	}
	return "console"
}

func tooOften(err error) *apiError {
	e := fail(http.StatusTooManyRequests, "too_often", "That is more than one device may ask for. Wait a moment.").because(err)
	e.RetryAfter = time.Second
	return e
}

func tooMany() *apiError {
	e := fail(http.StatusServiceUnavailable, "busy", "Too many requests are under way. Try again in a moment.")
	e.RetryAfter = retryAfter
	return e
}

// allowed is the value of an Allow header.
func allowed(routes []route) string {
	var all []string
	for _, rt := range routes {
		all = slices.AppendSeq(all, maps.Keys(rt.methods))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// methodName keeps what a stranger wrote out of the answer.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return m
	}
	return "such"
}

// statusWriter remembers the status for the metrics.
type statusWriter struct {
	http.ResponseWriter
	metrics *metrics
	status  int
}

// Refused counts the check that refused a request, for handlers of extra routes: they
// find this method by its name.
func (w *statusWriter) Refused(err error) { w.metrics.refused(err) }

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
