package agent

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
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
)

// route is one path of the API. docs/openapi.yaml has the same list; a test
// holds the two together.
type route struct {
	path    string // pattern of http.ServeMux, without method
	over    transport
	to      audience
	methods methods
}

// routes returns the API. What is not here is the fallback's.
func (a *Agent) routes() []route {
	const (
		both    = overListener | overChannel
		remotes = overChannel | overConsole
	)
	get := func(h http.HandlerFunc) methods { return methods{http.MethodGet: h} }
	post := func(h http.HandlerFunc) methods { return methods{http.MethodPost: h} }
	return []route{
		{"/v1/cameras", both | overConsole, forViewers, get(a.getCameras)},
		{"/v1/events", both, forViewers, get(a.getEvents)},
		{"/v1/time", both, forViewers, get(a.getTime)},
		{"/v1/me", both, forViewers, get(a.getMe)},
		{"/v1/session", overChannel, forViewers, get(a.getSession)},
		{"/v1/session/offer", overChannel, forViewers, post(a.postSessionOffer)},
		{"/v1/ice", remotes, forViewers, get(a.getICE)},
		{"/v1/network", remotes, forViewers, get(a.getNetwork)},
		{"/v1/tickets", overChannel, forViewers, post(a.postTicket)},
		{"/v1/claim", overChannel, forClaims, post(a.postClaim)},
		{"/v1/access", remotes, forLists, methods{http.MethodGet: a.getAccess, http.MethodPut: a.putAccess}},
		{"/v1/access/log", remotes, forAdmins, get(a.getAccessLog)},
		{"/v1/invites", overChannel, forViewers, post(a.postInvite)},
		{"/v1/invites/{jti}", overChannel, forViewers, methods{http.MethodDelete: a.deleteInvite}},
		{"/v1/whep-tokens", remotes, forViewers, post(a.postWHEPToken)},
		{"/v1/qr", overChannel, forViewers, post(a.postQR)},
		{"/v1/console/pair", overConsole, forAdmins, post(a.postConsolePair)},
		{"/v1/console/invites", overConsole, forAdmins, post(a.postConsoleInvite)},
		{"/v1/console/revoke", overConsole, forAdmins, post(a.postConsoleRevoke)},
		{"/whep/{camera}", overListener, forPlayers, methods{http.MethodPost: a.postWHEP, http.MethodOptions: a.optionsWHEP}},
		{"/whep/{camera}/{session}", overListener, forPlayers, methods{
			http.MethodPatch: a.patchWHEP, http.MethodDelete: a.deleteWHEP, http.MethodOptions: a.optionsWHEPSession,
		}},
		{"/healthz", both | overConsole, forAnyone, get(a.getHealth)},
		{"/metrics", overListener, forAnyone, get(a.getMetrics)},
	}
}

// methods are the handlers of a path.
type methods = map[string]http.HandlerFunc

// handler returns the API as it is served over t.
func (a *Agent) handler(t transport) http.Handler {
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		if r.over&t != 0 {
			mux.Handle(r.path, a.guarded(t, r))
		}
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

// guarded puts everything around a route that keeps strangers and floods out.
func (a *Agent) guarded(t transport, rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &statusWriter{ResponseWriter: w}
		defer func() { a.metrics.request(t, counted.code()) }()
		limit := a.requests
		if s := sessionOf(r); s != nil {
			limit = s.limit
		}
		if !limit.take() {
			tooMany().write(counted)
			return
		}
		defer limit.give()
		r, err := a.admit(t, rt, r)
		if err != nil {
			a.fail(counted, err)
			return
		}
		h, ok := rt.methods[r.Method]
		if !ok {
			counted.Header().Set("Allow", allowed(rt))
			fail(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take "+methodName(r.Method)+" requests.").write(counted)
			return
		}
		if !check.Off(check.Form) {
			r.Body = http.MaxBytesReader(counted, r.Body, maxBodyBytes)
		}
		h(counted, r)
	})
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
func allowed(rt route) string {
	return strings.Join(slices.Sorted(maps.Keys(rt.methods)), ", ")
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
	status int
}

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
