package agent

import (
	"errors"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/internal/trust"
)

// getFragments answers GET /v1/cameras/{id}/fragments: what the camera's spool has.
func (a *Agent) getFragments(w http.ResponseWriter, r *http.Request) {
	c, apiErr := a.mayFetch(r, principalOf(r))
	if apiErr != nil {
		a.fail(w, apiErr)
		return
	}
	if err := c.spool.ServeList(w, r, a.closing, func() error { return a.mayStillFetch(r) }); err != nil {
		a.fail(w, fragmentError(err))
	}
}

// getFragment answers GET /v1/cameras/{id}/fragments/{seq}.
func (a *Agent) getFragment(w http.ResponseWriter, r *http.Request) {
	c, apiErr := a.mayFetch(r, principalOf(r))
	if apiErr != nil {
		a.fail(w, apiErr)
		return
	}
	v := spool.Visit{Allowed: func() error { return a.mayStillFetch(r) }, Hold: func(n int) (func(), error) {
		release, ok := a.fragments.take(askerOf(r), int64(n))
		if !ok {
			return nil, tooMany()
		}
		return release, nil
	}}
	if s := sessionOf(r); s != nil {
		v.Pace, v.Path = &s.pace, func() spool.Path { return a.way(s) }
	}
	if err := c.spool.ServeFragment(w, r, r.PathValue("seq"), v); err != nil {
		a.fail(w, fragmentError(err))
	}
}

// mayFetch returns the camera of a request if it has a spool and somebody may fetch
// of it.
func (a *Agent) mayFetch(r *http.Request, p *trust.Principal) (*publishedCamera, *apiError) {
	id := r.PathValue("id")
	if err := p.Need(access.Playback, id); err != nil {
		return nil, forbidden(err)
	}
	c, ok := a.cameras.byID[id]
	if !ok {
		return nil, fail(http.StatusNotFound, "no_camera", (&noCameraError{id}).Error())
	}
	if c.spool == nil {
		return nil, fail(http.StatusNotFound, "no_spool", "This agent keeps nothing for recorders.")
	}
	return c, nil
}

// mayStillFetch is asked again while an answer waits, or leaves.
func (a *Agent) mayStillFetch(r *http.Request) error {
	if sessionOf(r) == nil {
		return nil // the console's, or an open agent's: it does not change
	}
	p, err := a.viewer(r)
	if err == nil {
		_, err = a.mayFetch(r, p)
	}
	if err != nil {
		return err
	}
	return nil
}

// fragmentError tells a recorder why there is no answer.
func fragmentError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	switch {
	case errors.Is(err, spool.ErrGone):
		return fail(http.StatusNotFound, "gone", "The agent does not have this, or no longer.")
	case errors.Is(err, spool.ErrRequest):
		return badRequest(sentence(err))
	}
	return badRequest("The request ended early.")
}

// way is how the session's path stands, as live pictures show.
func (a *Agent) way(s *session) spool.Path {
	st := s.media.Stats()
	p := spool.Path{
		Measured: len(st.Rungs) > 0, Congested: st.Congested, Capacity: st.Capacity,
		Queue: time.Duration(st.QueueMs * float64(time.Millisecond)),
	}
	for _, other := range a.sessions.list() {
		o := other.media.Stats()
		p.Sent += o.Octets
		p.Trouble = p.Trouble || other != s && o.Congested
	}
	return p
}
