package playback

import (
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// maxPause bounds a pause that has an end.
const maxPause = 366 * 24 * time.Hour

// putPause answers PUT /v1/recordings/{camera}/pause: the camera is not recorded
// from now on.
func (a *API) putPause(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	var in struct {
		UntilMs int64 `json:"untilMs"`
	}
	if err := parseQuery(r).err; err != nil {
		return err
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	now := time.Now()
	if in.UntilMs != 0 && (in.UntilMs <= now.UnixMilli() || in.UntilMs > now.Add(maxPause).UnixMilli()) {
		return badRequest("The time untilMs must be within the next year, in milliseconds since 1970; 0 is until somebody ends the pause.")
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	pause := recordings.Pause{Camera: camera, Range: recordings.Range{From: recordings.TimeOf(now), To: ofMillis(in.UntilMs)}, By: nameOf(p)}
	if err := a.opts.Library.Pause(r.Context(), pause); err != nil {
		return a.notKept(r.Context(), "write a pause down", err)
	}
	what := camera + " until somebody ends it"
	if in.UntilMs != 0 {
		what = camera + " until " + pause.To.Std().Format(time.RFC3339)
	}
	a.journal(r, ChangePause, p, what)
	noContent(w)
	return nil
}

// deletePause answers DELETE /v1/recordings/{camera}/pause: the camera is recorded
// again. It is if it was not paused.
func (a *API) deletePause(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	if err := parseQuery(r).err; err != nil {
		return err
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	if _, paused := a.opts.Library.Paused(camera); paused {
		if err := a.opts.Library.Resume(r.Context(), camera); err != nil {
			return a.notKept(r.Context(), "end a pause", err)
		}
		a.journal(r, ChangeResume, p, camera)
	}
	noContent(w)
	return nil
}

// nameOf is what somebody is called in a pause.
func nameOf(p *trust.Principal) string {
	switch {
	case p.Name != "":
		return p.Name
	case p.Role == trust.RoleConsole:
		return "console"
	}
	return string(p.Role)
}
