package agent

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
)

// logHead is where the access log ends: owners' devices keep it, so that a log
// that was cut or written anew shows.
func (a *Agent) logHead() accesslog.Head {
	if a.opts.Log == nil {
		return accesslog.Head{}
	}
	return a.opts.Log.Head()
}

// getAccess answers GET /v1/access: who has access, and what was taken back. Whoever
// disputes the lists sees the lists alone.
func (a *Agent) getAccess(w http.ResponseWriter, r *http.Request) {
	state, head := a.gate.trust.State(), a.logHead()
	if !principalOf(r).May(access.Admin, "") {
		state, head = state.Disputed(), accesslog.Head{}
	}
	writeJSON(w, http.StatusOK, struct {
		trust.AccessState
		Publisher string         `json:"publisher"`
		Log       accesslog.Head `json:"log"`
	}{state, string(a.PeerID()), head})
}

// putAccess answers PUT /v1/access: a new list of an owner's, or of somebody who
// disputes having been removed.
func (a *Agent) putAccess(w http.ResponseWriter, r *http.Request) {
	var in struct {
		List string `json:"list"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	if err := a.mayChange(r); err != nil {
		a.fail(w, err)
		return
	}
	p := principalOf(r)
	err := a.gate.trust.PutList(p, in.List)
	if done(err) {
		a.journal.by(accesslog.Listed, p, "access list", a.cameFrom(r))
	}
	if err != nil {
		a.fail(w, a.accessError(err))
		return
	}
	a.getAccess(w, r)
}

const (
	defaultLogLines = 100
	maxLogLines     = 500
)

// getAccessLog answers GET /v1/access/log: lines of the log as they are on disk,
// from the one after "after" on.
func (a *Agent) getAccessLog(w http.ResponseWriter, r *http.Request) {
	after, err := number(r, "after", 0)
	limit, err2 := number(r, "limit", defaultLogLines)
	if err := errors.Join(err, err2); err != nil {
		badRequest("after and limit are numbers that are not negative.").write(w)
		return
	}
	lines, floor := []string{}, int64(0)
	if a.opts.Log != nil {
		if lines, floor, err = a.opts.Log.Read(int64(after), min(limit, maxLogLines)); err != nil {
			a.log.Error("cannot read the access log", "error", err)
			fail(http.StatusInternalServerError, "internal", "The access log cannot be read. The agent's log says why.").write(w)
			return
		}
	}
	writeJSON(w, http.StatusOK, struct {
		Lines []string       `json:"lines"`
		Head  accesslog.Head `json:"head"`
		Floor int64          `json:"floor"`
	}{lines, a.logHead(), floor})
}

// number reads a query parameter.
func number(r *http.Request, name string, missing int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// postInvite answers POST /v1/invites: an invite that the client has signed.
func (a *Agent) postInvite(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Invite string `json:"invite"`
		Secret string `json:"secret"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	if err := a.mayChange(r); err != nil {
		a.fail(w, err)
		return
	}
	p := principalOf(r)
	if err := a.gate.trust.AddInvite(p, in.Invite, in.Secret); err != nil {
		a.fail(w, a.accessError(err))
		return
	}
	a.journal.by(accesslog.Invited, p, a.invitedWhat(in.Invite), a.cameFrom(r))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
}

// invitedWhat says in the log what an invite is for.
func (a *Agent) invitedWhat(compact string) string {
	v, err := access.ParseInvite(compact)
	if err != nil {
		return ""
	}
	return "invite " + v.ID + " for " + v.Name
}

// deleteInvite answers DELETE /v1/invites/{jti}.
func (a *Agent) deleteInvite(w http.ResponseWriter, r *http.Request) {
	if err := a.mayChange(r); err != nil {
		a.fail(w, err)
		return
	}
	err := a.gate.trust.RemoveInvite(principalOf(r), r.PathValue("jti"))
	if done(err) {
		a.journal.by(accesslog.Revoked, principalOf(r), "an invite", a.cameFrom(r))
	}
	if err != nil {
		a.fail(w, a.accessError(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// done reports whether a change is in force, written down or not: then it is said
// in the access log.
func done(err error) bool { return err == nil || errors.Is(err, trust.ErrNotKept) }

// accessError tells why a change of who has access is refused.
func (a *Agent) accessError(err error) *apiError {
	name, _ := check.Of(err)
	switch {
	case errors.Is(err, trust.ErrNotKept):
		a.log.Error("could not keep a change of who has access", "error", err)
		return fail(http.StatusInsufficientStorage, "not_kept", sentence(trust.ErrNotKept)+" Make room on its disk, or replace it, and do this again.").because(err)
	case errors.Is(err, trust.ErrUnknown):
		return fail(http.StatusNotFound, "not_found", sentence(err)).because(err)
	case errors.Is(err, trust.ErrAmbiguous):
		return fail(http.StatusConflict, "ambiguous", sentence(err)).because(err)
	case errors.Is(err, trust.ErrOwned):
		return fail(http.StatusConflict, "owned", sentence(err)).because(err)
	case errors.Is(err, trust.ErrTooMany):
		return fail(http.StatusConflict, "full", sentence(err)).because(err)
	case name == check.ListVersion:
		return fail(http.StatusConflict, "outdated", "There is a newer list here. Load it, make the change again, and save.").because(err)
	case errors.Is(err, access.ErrToken):
		return badRequest(sentence(err)).because(err)
	case name != "":
		return fail(http.StatusForbidden, "forbidden", sentence(err)).because(err)
	case errors.Is(err, trust.ErrInvite):
		return badRequest(sentence(err)).because(err)
	}
	a.log.Error("could not change who has access", "error", err)
	if e := notWritten(err); e != nil {
		return e
	}
	return fail(http.StatusInternalServerError, "internal", "The agent could not do this. Its log says why.").because(err)
}

// cameFrom says in the access log where a request came from.
func (a *Agent) cameFrom(r *http.Request) string { return CameFrom(r) }
