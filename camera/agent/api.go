package agent

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// transport says which way a request comes.
type transport uint8

const (
	overListener transport = 1 << iota // the own listener
	overChannel                        // a session's data channels
)

// route is one path of the API. docs/openapi.yaml has the same list; a test
// holds the two together.
type route struct {
	path    string // pattern of http.ServeMux, without method
	over    transport
	public  bool // needs no authorization
	methods map[string]http.HandlerFunc
}

// routes returns the API. What is not here is the fallback's.
func (a *Agent) routes() []route {
	const both = overListener | overChannel
	return []route{
		{"/v1/cameras", both, false, methods{http.MethodGet: a.getCameras}},
		{"/v1/events", both, false, methods{http.MethodGet: a.getEvents}},
		{"/v1/time", both, false, methods{http.MethodGet: a.getTime}},
		{"/v1/session", overChannel, false, methods{http.MethodGet: a.getSession}},
		{"/v1/session/offer", overChannel, false, methods{http.MethodPost: a.postSessionOffer}},
		{"/whep/{camera}", overListener, false, methods{http.MethodPost: a.postWHEP, http.MethodOptions: a.optionsWHEP}},
		{"/whep/{camera}/{session}", overListener, false, methods{
			http.MethodPatch: a.patchWHEP, http.MethodDelete: a.deleteWHEP, http.MethodOptions: a.optionsWHEPSession,
		}},
		{"/healthz", both, true, methods{http.MethodGet: a.getHealth}},
		{"/metrics", overListener, true, methods{http.MethodGet: a.getMetrics}},
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
			err.write(w)
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
		if err := a.admit(t, rt, r); err != nil {
			err.write(counted)
			return
		}
		h, ok := rt.methods[r.Method]
		if !ok {
			counted.Header().Set("Allow", allowed(rt))
			fail(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take "+methodName(r.Method)+" requests.").write(counted)
			return
		}
		r.Body = http.MaxBytesReader(counted, r.Body, maxBodyBytes)
		h(counted, r)
	})
}

// admit decides whether a request may be answered at all.
func (a *Agent) admit(t transport, rt route, r *http.Request) *apiError {
	if t == overListener {
		if err := a.guard.host(r); err != nil {
			return err
		}
		if err := a.guard.origin(r); err != nil {
			return err
		}
	}
	if rt.public || r.Method == http.MethodOptions {
		return nil
	}
	if s := sessionOf(r); s != nil {
		return a.access.authorize(s.key.viewer)
	}
	return a.access.authorize("")
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
